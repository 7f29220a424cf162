"""gRPC's handlers of methods, wrapped by interceptors."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Wrapper = Callable[[Callable[..., Any], Any, Context], Awaitable[Any]]
"""Is given a handler's function, its request or requests, and the call."""


def wrapped(handler: Handler, wrap: Wrapper, read: Callable[[bytes], Any] | None = None) -> Handler:
    """A handler whose function is called by a wrapper.

    Args:
        handler: the handler.
        wrap: calls its function, by `run_handler`.
        read: makes of the bytes of a request what the wrapper is given; None if the handler's own reader does.
    """
    kinds: dict[tuple[bool, bool], tuple[Any, Callable[..., Handler]]] = {
        (False, False): (handler.unary_unary, grpc.unary_unary_rpc_method_handler),
        (False, True): (handler.unary_stream, grpc.unary_stream_rpc_method_handler),
        (True, False): (handler.stream_unary, grpc.stream_unary_rpc_method_handler),
        (True, True): (handler.stream_stream, grpc.stream_stream_rpc_method_handler),
    }
    act, make = kinds[handler.request_streaming, handler.response_streaming]

    async def acting(request: Any, context: Context) -> Any:
        return await wrap(act, request, context)

    return make(acting, read or handler.request_deserializer, handler.response_serializer)


async def run_handler(act: Callable[..., Any], request: Any, context: Context) -> Any:
    """Call a handler's function; the responses that it yields are written."""
    if not inspect.isasyncgenfunction(act):
        return await act(request, context)
    async for response in act(request, context):
        await context.write(response)
    return None
