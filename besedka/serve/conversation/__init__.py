"""What words mean, whatever door they came through.

`visitor` is anybody at a door, `conversation` one who takes part; `reception` answers what people ask about who belongs where;
`keeping` does what those who keep order ask for, and `target` is to whom.
"""

from besedka.serve.conversation.conversation import Conversation
from besedka.serve.conversation.keeping import Keeping
from besedka.serve.conversation.visitor import Visitor

__all__ = ["Conversation", "Keeping", "Visitor"]
