/* shared_socket: what descriptor 0 is, and, with a name as argument, a server on it that answers each connection
 * with "name pid" and keeps it open. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int option(int name) {
    int value = -1;
    socklen_t length = sizeof value;
    getsockopt(0, SOL_SOCKET, name, &value, &length);
    return value;
}

int main(int argc, char **argv) {
    struct stat status;
    if (fstat(0, &status) || !S_ISSOCK(status.st_mode)) {
        printf("no socket\nend\n");
        fflush(stdout);
        pause();
    }
    printf("inode %lu\n", (unsigned long)status.st_ino);
    printf("family %d type %d\n", option(SO_DOMAIN), option(SO_TYPE));
    printf("accepts %d reuses %d keeps alive %d\n", option(SO_ACCEPTCONN), option(SO_REUSEADDR), option(SO_KEEPALIVE));
    printf("blocks %s\n", fcntl(0, F_GETFL) & O_NONBLOCK ? "no" : "yes");
    printf("flags %x %x\n", fcntl(0, F_GETFL), fcntl(0, F_GETFD));

    struct sockaddr_storage address;
    memset(&address, 0, sizeof address);
    socklen_t length = sizeof address;
    getsockname(0, (struct sockaddr *)&address, &length);
    if (address.ss_family == AF_UNIX) {
        printf("at %s\n", ((struct sockaddr_un *)&address)->sun_path);
    } else {
        struct sockaddr_in *inet = (struct sockaddr_in *)&address;
        printf("at %s port %d\n", inet_ntoa(inet->sin_addr), ntohs(inet->sin_port));
        struct tcp_info info;
        socklen_t size = sizeof info;
        /* Of a listening socket this is the length of its queue. */
        if (!getsockopt(0, IPPROTO_TCP, TCP_INFO, &info, &size)) printf("backlog %u\n", info.tcpi_sacked);
    }
    length = sizeof address;
    printf("peer %s\n", getpeername(0, (struct sockaddr *)&address, &length) ? strerror(errno) : "somebody");
    struct stat other;
    for (int descriptor = 3; descriptor < 1024; descriptor++)
        if (!fstat(descriptor, &other)) printf("descriptor %d is open\n", descriptor);
    printf("end\n");
    fflush(stdout);
    if (argc < 2) pause();
    for (;;) {
        int connection = accept(0, NULL, NULL);
        if (connection >= 0) dprintf(connection, "%s %d\n", argv[1], getpid());
    }
}
