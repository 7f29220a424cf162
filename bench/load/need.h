/* Memory that must be there: a load without it has nothing to measure. */
#ifndef NEED_H
#define NEED_H

#include <stdio.h>
#include <stdlib.h>

static inline void *need(void *memory)
{
    if (!memory) {
        fputs("load: no memory\n", stderr);
        exit(1);
    }
    return memory;
}

#endif
