/* The services that are probed in the soak and in the benches of probes: the least that can answer.
 *
 *   probed tcp PORT      listens on 127.0.0.1:PORT, accepts and closes
 *   probed http PORT     the same, with an answer to a request
 *   probed unix PATH     listens on a unix socket, accepts and closes
 *   probed notify MS     says READY=1, and WATCHDOG=1 with a new STATUS every MS milliseconds, to NOTIFY_SOCKET
 *   probed log MS        prints that it is ready, and then a line every MS milliseconds
 *   probed fd NUMBER     writes a newline to this descriptor, and sleeps
 *   probed file PATH     makes this file, and sleeps
 *   probed sleep         does nothing
 *   probed true          ends at once with status 0: a probe that is a command
 *   probed spawn N COMMAND...   the least that N commands a second can cost: starts each, waits for it, and nothing else
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what) {
    perror(what);
    return 3;
}

/* Reads to the end of the request, and says that all is well. */
static void answer(int client) {
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    char request[4096];
    size_t length = 0;
    ssize_t got;
    while (length < sizeof request - 1 && (got = read(client, request + length, sizeof request - 1 - length)) > 0) {
        length += got;
        request[length] = '\0';
        if (strstr(request, "\r\n\r\n")) {
            send(client, text, sizeof text - 1, MSG_NOSIGNAL);
            return;
        }
    }
}

static int serve(int family, const struct sockaddr *address, socklen_t length, void (*with)(int)) {
    int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, address, length)) return fail("bind");
    if (listen(listener, 64)) return fail("listen");
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client >= 0) {
            if (with) with(client);
            close(client);
        } else if (errno != EINTR && errno != ECONNABORTED) return fail("accept");
    }
}

static socklen_t unix_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (length >= sizeof address->sun_path) exit(2);
    memcpy(address->sun_path, path, length);
    if (path[0] == '@') address->sun_path[0] = '\0';
    return offsetof(struct sockaddr_un, sun_path) + length;
}

static int notify(long period_ms) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || !*path) return fprintf(stderr, "no NOTIFY_SOCKET\n"), 3;
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, path);
    int out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const char *head = "READY=1\n";
    for (unsigned long beat = 0;; beat++) {
        char text[64];
        int size = snprintf(text, sizeof text, "%sWATCHDOG=1\nSTATUS=beat %lu", head, beat);
        /* What cannot be delivered is missed by the daemon, which is what is watched for. */
        if (sendto(out, text, size, 0, (struct sockaddr *)&address, length) == size) head = "";
        struct timespec period = {period_ms / 1000, period_ms % 1000 * 1000000};
        nanosleep(&period, NULL);
    }
}

static int rest(void) {
    while (pause()) continue;
    return 0;
}

static void chatter(long period_ms) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready to serve\n");
    for (unsigned long beat = 0;; beat++) {
        struct timespec period = {period_ms / 1000, period_ms % 1000 * 1000000};
        nanosleep(&period, NULL);
        printf("beat %lu of a service that has nothing to say\n", beat);
    }
}

static int spawn(long number, char **command) {
    extern char **environ;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (;;) {
        pid_t pid = vfork();
        if (pid == 0) {
            execve(command[0], command, environ);
            _exit(127);
        }
        if (pid < 0 || waitpid(pid, NULL, 0) != pid) return fail("spawn");
        next.tv_nsec += 1000000000 / number;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "true")) return 0;
    if (argc == 2 && !strcmp(argv[1], "sleep")) return rest();
    if (argc > 3 && !strcmp(argv[1], "spawn")) return spawn(atol(argv[2]), argv + 3);
    if (argc != 3) return 2;
    if (!strcmp(argv[1], "notify")) return notify(atol(argv[2]));
    if (!strcmp(argv[1], "log")) chatter(atol(argv[2]));
    if (!strcmp(argv[1], "fd")) return write(atoi(argv[2]), "\n", 1) == 1 ? rest() : fail("write");
    if (!strcmp(argv[1], "file")) {
        int file = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        return file < 0 ? fail("open") : rest();
    }
    int is_http = !strcmp(argv[1], "http");
    if (is_http || !strcmp(argv[1], "tcp")) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        return serve(AF_INET, (struct sockaddr *)&address, sizeof address, is_http ? answer : NULL);
    }
    if (!strcmp(argv[1], "unix")) {
        struct sockaddr_un address;
        unlink(argv[2]);
        socklen_t length = unix_address(&address, argv[2]);
        return serve(AF_UNIX, (struct sockaddr *)&address, length, NULL);
    }
    return 2;
}
