/* The service of the ratios, and the floor to hold a supervisor to.
 *
 *   service FIFO            says "PID NANOSECONDS" (monotonic) into FIFO with its first instructions, then sleeps
 *   service floor N FIFO    the least supervisor: starts N services, starts each again when it dies, and on
 *                           SIGTERM ends them all and itself
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void report(const char *fifo) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char line[64];
    int length = snprintf(line, sizeof line, "%d %lld\n", getpid(), now.tv_sec * 1000000000LL + now.tv_nsec);
    int out = open(fifo, O_WRONLY | O_NONBLOCK);
    if (out < 0 || write(out, line, length) != length) _exit(3);
    close(out);
}

static volatile sig_atomic_t is_ending;
static pid_t *running;
static int count;

static void end(int number) {
    (void)number;
    is_ending = 1;
    for (int i = 0; i < count; i++)
        if (running[i] > 0) kill(running[i], SIGTERM);
}

static pid_t start(char *self, char *fifo) {
    char *arguments[] = {self, fifo, NULL};
    extern char **environ;
    pid_t pid = vfork();
    if (pid == 0) {
        execve(self, arguments, environ);
        _exit(127);
    }
    return pid;
}

int main(int argc, char **argv) {
    if (argc == 2) {
        report(argv[1]);
        for (;;) pause();
    }
    if (argc != 4 || strcmp(argv[1], "floor")) return 2;
    count = atoi(argv[2]);
    running = calloc(count, sizeof *running);
    signal(SIGTERM, end);
    for (int i = 0; i < count; i++) running[i] = start("/proc/self/exe", argv[3]);
    /* The signal may have come while the last one was started and not yet written down. */
    if (is_ending) end(0);
    int left = count;
    while (left > 0) {
        pid_t pid = wait(NULL);
        if (pid < 0) {
            if (errno == EINTR) continue;
            break;
        }
        for (int i = 0; i < count; i++) {
            if (running[i] != pid) continue;
            if (is_ending) { running[i] = 0; left--; } else running[i] = start("/proc/self/exe", argv[3]);
            break;
        }
    }
    return 0;
}
