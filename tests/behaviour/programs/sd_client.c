/* Talks to its supervisor with the client library of systemd. usage: sd_client WORD... , done in their order:
 *   ready          READY=1 with a STATUS
 *   text=TEXT      TEXT as it is; \n stands for a new line
 *   barrier        waits until everything before has been taken; prints "barrier RESULT"
 *   watchdog       prints "watchdog ENABLED MICROSECONDS"
 *   beat=N         N times WATCHDOG=1, at a third of the time that is allowed
 *   fork           goes on in a child, whose parent ends when the child has said that it is the main process
 *   fork-session   the same, in a session of its own
 *   fork-wait      goes on in a child, whose parent waits for it and then for ever
 *   mainpid        MAINPID= of this process and READY=1
 *   parent         MAINPID= of the parent of this process
 *   child          starts a child that stays in its group and ignores SIGTERM; prints "child PID"
 *   until=FILE     waits until there is that file
 *   term           waits for SIGTERM and goes on
 *   stay           sleeps for ever
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static void say(const char *what, long one, long two) {
    printf("%s %ld %ld\n", what, one, two);
    fflush(stdout);
}

/* Held open by a child until it has said that it is the main process. */
static int silence[2] = {-1, -1};

static void go_on_in_child(int own_session, int waits) {
    char none;
    if (pipe(silence)) _exit(9);
    pid_t child = fork();
    if (child != 0) {
        close(silence[1]);
        /* Whoever ends before that has ended for its supervisor, too. */
        if (read(silence[0], &none, 1)) _exit(9);
        if (waits) {
            waitpid(child, NULL, 0);
            say("child ended", 0, 0);
            for (;;) pause();
        }
        _exit(0);
    }
    close(silence[0]);
    if (own_session) setsid();
}

static void start_child(void) {
    pid_t child = fork();
    if (child == 0) {
        signal(SIGTERM, SIG_IGN);
        say("child", getpid(), 0);
        for (;;) pause();
    }
}

static void wait_for_term(void) {
    sigset_t term;
    int got;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigwait(&term, &got);
}

static void text(const char *from) {
    char copy[4096];
    size_t length = 0;
    for (; *from && length < sizeof copy - 1; from++) {
        if (from[0] == '\\' && from[1] == 'n') {
            copy[length++] = '\n';
            from++;
        } else {
            copy[length++] = *from;
        }
    }
    copy[length] = 0;
    say("sent", sd_notify(0, copy), 0);
}

int main(int count, char **words) {
    for (int at = 1; at < count; at++) {
        if (!strcmp(words[at], "term")) {
            sigset_t term;
            sigemptyset(&term);
            sigaddset(&term, SIGTERM);
            sigprocmask(SIG_BLOCK, &term, NULL);
        }
    }
    for (int at = 1; at < count; at++) {
        const char *word = words[at];
        uint64_t time = 0;
        if (!strcmp(word, "ready")) {
            say("ready", sd_notify(0, "READY=1\nSTATUS=serving"), 0);
        } else if (!strncmp(word, "text=", 5)) {
            text(word + 5);
        } else if (!strcmp(word, "barrier")) {
            say("barrier", sd_notify_barrier(0, 20 * 1000 * 1000), 0);
        } else if (!strcmp(word, "watchdog")) {
            int enabled = sd_watchdog_enabled(0, &time);
            say("watchdog", enabled, (long)time);
        } else if (!strncmp(word, "beat=", 5)) {
            sd_watchdog_enabled(0, &time);
            for (int beat = atoi(word + 5); beat > 0; beat--) {
                sd_notify(0, "WATCHDOG=1");
                usleep((useconds_t)(time / 3));
            }
            say("silent", 0, 0);
        } else if (!strcmp(word, "fork")) {
            go_on_in_child(0, 0);
        } else if (!strcmp(word, "fork-session")) {
            go_on_in_child(1, 0);
        } else if (!strcmp(word, "fork-wait")) {
            go_on_in_child(0, 1);
        } else if (!strcmp(word, "mainpid")) {
            say("main", sd_notifyf(0, "MAINPID=%ld\nREADY=1", (long)getpid()), (long)getpid());
            if (silence[1] >= 0) close(silence[1]);
            silence[1] = -1;
        } else if (!strcmp(word, "parent")) {
            say("parent", sd_notifyf(0, "MAINPID=%ld", (long)getppid()), (long)getppid());
        } else if (!strcmp(word, "child")) {
            start_child();
        } else if (!strncmp(word, "until=", 6)) {
            while (access(word + 6, F_OK)) usleep(10 * 1000);
        } else if (!strcmp(word, "term")) {
            wait_for_term();
        } else if (!strcmp(word, "stay")) {
            for (;;) pause();
        }
    }
    return 0;
}
