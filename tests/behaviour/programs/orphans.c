/* orphans COUNT: leaves COUNT processes behind, each of which ends at once after its parent has ended,
   and says "done" when all have been made. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 1;
    /* Every middle process leaves several orphans, so that they come faster than one fork each. */
    const int litter = 10;
    for (int made = 0; made < count; made += litter) {
        pid_t middle = fork();
        if (middle < 0) { perror("fork"); return 1; }
        if (middle == 0) {
            for (int i = 0; i < litter; i++) {
                pid_t orphan = fork();
                if (orphan < 0) _exit(1);
                if (orphan == 0) {
                    /* Lives until its parent is gone, or the parent would be the one to reap it. */
                    pid_t parent = getppid();
                    for (int spin = 0; spin < 1000 && getppid() == parent; spin++) usleep(100);
                    _exit(i);
                }
            }
            _exit(0);
        }
        int status;
        waitpid(middle, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status)) { fprintf(stderr, "a fork failed\n"); return 1; }
    }
    puts("done");
    fflush(stdout);
    pause();
}
