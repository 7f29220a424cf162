/* What is said, by whom and when. */
#ifndef SAYING_H
#define SAYING_H

#include <stdbool.h>
#include <stdint.h>

/* Prepare so many senders: the first connections. */
void saying_prepare(void);
/* Begin to say so many messages; `how` is `one`, `flight` or `pace`, `value` what belongs to it. */
void saying_begin(unsigned messages, const char *how, double value);
/* Somebody has heard messages of its own, or a message has reached all. */
void say_more(unsigned sender, unsigned own_heard, bool is_complete);
/* The file descriptor that is readable when `say_due` has something to do. */
int saying_timer(void);
void say_due(void);

bool is_all_heard(void);
unsigned messages_said(void);

#endif
