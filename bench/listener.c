/* An event listener for bench/events.py: `listener FIFO` says "PID NANOSECONDS" (monotonic) into FIFO as soon as it has
 * the line of an event, reads its body, and answers. Plain system calls, so that what is measured is the daemon. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void say(const char *text) {
    if (write(1, text, strlen(text)) < 0) _exit(3);
}

int main(int argc, char **argv) {
    int out = argc == 2 ? open(argv[1], O_WRONLY) : -1;
    if (out < 0) return 2;
    for (;;) {
        char line[1024];
        size_t length = 0;
        say("READY\n");
        do {
            if (length == sizeof line - 1 || read(0, line + length, 1) != 1) return 0;
        } while (line[length++] != '\n');
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        line[length] = 0;
        const char *found = strstr(line, " len:");
        for (int left = found ? atoi(found + 5) : 0; left > 0;) {
            char body[4096];
            ssize_t count = read(0, body, left < (int)sizeof body ? left : (int)sizeof body);
            if (count <= 0) return 0;
            left -= count;
        }
        char report[64];
        int size = snprintf(report, sizeof report, "%d %lld\n", getpid(), now.tv_sec * 1000000000LL + now.tv_nsec);
        if (write(out, report, size) != size) return 3;
        say("RESULT 2\nOK");
    }
}
