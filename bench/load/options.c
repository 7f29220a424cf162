/* The command line. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

struct options option = {.senders = 1, .rooms = 1, .most_seconds = 3600, .path = "/", .opcode = TEXT};

void die(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

void take_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"port", 1, 0, 'p'}, {"path", 1, 0, 'a'}, {"hello", 1, 0, 'h'}, {"joined", 1, 0, 'j'}, {"say", 1, 0, 's'},
        {"resume", 1, 0, 'r'}, {"ping", 1, 0, 'i'}, {"pong", 1, 0, 'o'}, {"refusal", 1, 0, 'f'}, {"binary", 0, 0, 'b'},
        {"senders", 1, 0, 'n'}, {"rooms", 1, 0, 'c'}, {"most", 1, 0, 'm'}, {0}};
    for (int which; (which = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (which) {
        case 'p': option.port = (unsigned)atoi(optarg); break;
        case 'a': option.path = optarg; break;
        case 'h': option.hello = optarg; break;
        case 'j': option.joined = optarg; break;
        case 's': option.say = optarg; break;
        case 'r': option.resume = optarg; break;
        case 'i': option.ping = optarg; break;
        case 'o': option.pong = optarg; break;
        case 'f': option.refusal = optarg; break;
        case 'b': option.opcode = BINARY; break;
        case 'n': option.senders = (unsigned)atoi(optarg); break;
        case 'c': option.rooms = option.senders = (unsigned)atoi(optarg); break;
        case 'm': option.most_seconds = (unsigned)atoi(optarg); break;
        default: exit(2);
        }
    }
    if (!option.port || !option.senders || !option.ping != !option.pong)
        die("it needs --port, one sender at least, and --ping and --pong both or none");
}
