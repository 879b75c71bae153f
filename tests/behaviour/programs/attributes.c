/* attributes: prints what a service was given: signal dispositions and mask, descriptors, ids, limits. */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv, char **environment) {
    printf("arguments %d:", argc);
    for (int i = 0; i < argc; i++) printf(" [%s]", argv[i]);
    printf("\n");

    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    for (int number = 1; number <= 64; number++) {
        struct sigaction action;
        if (number == 32 || number == 33 || sigaction(number, NULL, &action)) continue;
        if (action.sa_handler == SIG_IGN) printf("signal %d ignored\n", number);
        if (sigismember(&mask, number)) printf("signal %d blocked\n", number);
    }

    for (int descriptor = 0; descriptor < 4096; descriptor++) {
        struct stat status;
        if (fstat(descriptor, &status)) continue;
        const char *kind = S_ISFIFO(status.st_mode) ? "pipe" : S_ISSOCK(status.st_mode) ? "socket" :
            S_ISREG(status.st_mode) ? "file" : S_ISCHR(status.st_mode) ? "device" : "other";
        int flags = fcntl(descriptor, F_GETFL);
        printf("descriptor %d %s %s%s\n", descriptor, kind,
            (flags & O_ACCMODE) == O_RDONLY ? "read" : (flags & O_ACCMODE) == O_WRONLY ? "write" : "both",
            flags & O_NONBLOCK ? " nonblocking" : "");
    }
    struct stat out, err;
    printf("stdout and stderr are %s\n", fstat(1, &out) || fstat(2, &err) ? "closed" : out.st_ino == err.st_ino ? "one" : "two");

    uid_t real, effective, saved;
    getresuid(&real, &effective, &saved);
    printf("uid %d %d %d\n", real, effective, saved);
    gid_t greal, geffective, gsaved, groups[1024];
    getresgid(&greal, &geffective, &gsaved);
    printf("gid %d %d %d\n", greal, geffective, gsaved);
    int count = getgroups(1024, groups);
    printf("groups");
    for (int i = 0; i < count; i++) printf(" %d", groups[i]);
    printf("\n");

    mode_t old = umask(0);
    printf("umask %03o\n", old);
    char place[4096];
    printf("directory %s\n", getcwd(place, sizeof place));
    printf("group leader %s\n", getpgrp() == getpid() ? "yes" : "no");
    printf("session leader %s\n", getsid(0) == getpid() ? "yes" : "no");
    printf("session of parent %s\n", getsid(0) == getsid(getppid()) ? "yes" : "no");
    printf("nice %d\n", getpriority(PRIO_PROCESS, 0));

    static const struct { int number; const char *name; } limits[] = {
        {RLIMIT_NOFILE, "nofile"}, {RLIMIT_NPROC, "nproc"}, {RLIMIT_CORE, "core"}, {RLIMIT_STACK, "stack"},
        {RLIMIT_FSIZE, "fsize"}, {RLIMIT_AS, "as"}, {RLIMIT_MEMLOCK, "memlock"}};
    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit limit;
        getrlimit(limits[i].number, &limit);
        printf("limit %s %lld %lld\n", limits[i].name, (long long)limit.rlim_cur, (long long)limit.rlim_max);
    }
    for (char **entry = environment; *entry; entry++) printf("environment %s\n", *entry);
    printf("end\n");
    fflush(stdout);
    pause();
}
