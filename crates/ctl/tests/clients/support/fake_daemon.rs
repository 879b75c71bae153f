//! A daemon that answers what it is told to, one answer for each request.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use linchpin_ctl::Settings;
use linchpin_protocol::{Fault, FaultCode, WriteValue, write_answer, write_fault};

/// What to answer.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A body with status 200.
    Body(Vec<u8>),
    /// Another status.
    Status(&'static str),
    /// A body with status 200, then the end of the connection, unannounced.
    BodyAndClose(Vec<u8>),
    /// Chunks, then the end of the connection.
    Chunks(Vec<&'static str>),
}

pub(crate) fn value(value: &impl WriteValue) -> Answer {
    Answer::Body(write_answer(value).unwrap())
}

pub(crate) fn fault(code: FaultCode, extra: &str) -> Answer {
    Answer::Body(write_fault(&Fault::with(code, extra)))
}

/// The answer to the first call of most commands.
pub(crate) fn version() -> Answer {
    value(&"3.0")
}

/// A running fake.
#[derive(Debug)]
pub(crate) struct FakeDaemon {
    folder: tempfile::TempDir,
    thread: JoinHandle<Vec<String>>,
    /// Told of each connection that was closed unannounced.
    pub(crate) closed: Receiver<()>,
}

impl FakeDaemon {
    pub(crate) fn start(answers: Vec<Answer>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s.sock")).unwrap();
        let (closing, closed) = channel();
        let thread = std::thread::spawn(move || serve(&listener, answers, &closing));
        Self {
            folder,
            thread,
            closed,
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            serverurl: format!("unix://{}/s.sock", self.folder.path().display()),
            ..Settings::default()
        }
    }

    /// The requests that came, once all answers are given.
    pub(crate) fn requests(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

fn serve(listener: &UnixListener, answers: Vec<Answer>, closing: &Sender<()>) -> Vec<String> {
    let mut requests = Vec::new();
    let mut connection: Option<UnixStream> = None;
    for answer in answers {
        let mut request = None;
        if let Some(stream) = &mut connection {
            request = read_request(stream);
        }
        while request.is_none() {
            let (mut stream, _) = listener.accept().unwrap();
            request = read_request(&mut stream);
            connection = Some(stream);
        }
        requests.extend(request);
        let stream = connection.as_mut().unwrap();
        match answer {
            Answer::Body(body) => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(&body).unwrap();
            }
            Answer::BodyAndClose(body) => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                stream
                    .write_all(&[head.as_bytes(), &body].concat())
                    .unwrap();
                connection = None;
                closing.send(()).unwrap();
            }
            Answer::Status(status) => {
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(head.as_bytes()).unwrap();
            }
            Answer::Chunks(chunks) => {
                let mut text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
                for chunk in chunks {
                    text += &[&format!("{:x}", chunk.len()), "\r\n", chunk, "\r\n"].concat();
                }
                stream.write_all(text.as_bytes()).unwrap();
                connection = None;
            }
        }
    }
    requests
}

/// A request, or none when the client has gone.
fn read_request(stream: &mut UnixStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut piece).unwrap() {
            0 => return None,
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
}
