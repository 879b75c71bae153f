import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A backend with nothing but the JDK, as impatient as most: at its start it asks PostgreSQL and Redis one question each, and ends with
 * status 3 if either does not answer. Afterwards GET /health asks both again and answers 200 or 503.
 *
 * <pre>java Backend PORT POSTGRES_PORT REDIS_PORT FILE</pre>
 *
 * FILE.listens is given the milliseconds since 1970 at which it began to listen, and FILE.asked those at which it was asked first.
 */
public final class Backend {
    private static final int TIMEOUT_MS = 3000;

    /** One connection of PostgreSQL's protocol 3.0: start, one query, end. */
    private static void askPostgres(int port) throws IOException {
        try (Socket socket = connect(port)) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            byte[] who = "user\0postgres\0database\0postgres\0\0".getBytes(StandardCharsets.US_ASCII);
            out.writeInt(4 + 4 + who.length);
            out.writeInt(3 << 16);
            out.write(who);
            untilMessage(in, 'Z');
            byte[] query = "SELECT 6 * 7\0".getBytes(StandardCharsets.US_ASCII);
            out.writeByte('Q');
            out.writeInt(4 + query.length);
            out.write(query);
            // A row is a number of columns, then each one's length and text.
            byte[] row = untilMessage(in, 'D');
            String answer = new String(row, 6, row.length - 6, StandardCharsets.US_ASCII);
            if (!answer.equals("42")) throw new IOException("PostgreSQL: 6 * 7 is " + answer);
            untilMessage(in, 'Z');
            out.writeByte('X');
            out.writeInt(4);
        }
    }

    private static byte[] untilMessage(DataInputStream in, char wanted) throws IOException {
        while (true) {
            char kind = (char) in.readUnsignedByte();
            byte[] body = in.readNBytes(in.readInt() - 4);
            if (kind == 'E') throw new IOException("PostgreSQL: " + new String(body, StandardCharsets.UTF_8).replace('\0', ' '));
            if (kind == wanted) return body;
        }
    }

    private static void askRedis(int port) throws IOException {
        try (Socket socket = connect(port)) {
            socket.getOutputStream().write("*1\r\n$4\r\nPING\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII)).readLine();
            if (!"+PONG".equals(answer)) throw new IOException("Redis: " + answer);
        }
    }

    private static Socket connect(int port) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress("127.0.0.1", port), TIMEOUT_MS);
        socket.setSoTimeout(TIMEOUT_MS);
        return socket;
    }

    private static void note(String file) throws IOException {
        Files.writeString(Path.of(file), System.currentTimeMillis() + "\n");
    }

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(arguments[0]);
        int postgres = Integer.parseInt(arguments[1]);
        int redis = Integer.parseInt(arguments[2]);
        try {
            askPostgres(postgres);
            askRedis(redis);
        } catch (IOException error) {
            System.err.println("backend: what it needs is not there: " + error.getMessage());
            System.exit(3);
        }
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 50);
        AtomicBoolean isAsked = new AtomicBoolean();
        server.createContext("/health", exchange -> {
            if (!isAsked.getAndSet(true)) note(arguments[3] + ".asked");
            int status = 200;
            String said = "backend: PostgreSQL and Redis answer\n";
            try {
                askPostgres(postgres);
                askRedis(redis);
            } catch (IOException error) {
                status = 503;
                said = "backend: " + error.getMessage() + "\n";
            }
            byte[] body = said.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, exchange.getRequestMethod().equals("HEAD") ? -1 : body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        note(arguments[3] + ".listens");
        System.out.println("backend: listening on port " + port);
    }
}
