//! A small HTTP server on 127.0.0.1 that misbehaves as a test requests, and stops by itself.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Number of requests after which a server stops: far more than any test needs.
const MAX_REQUESTS: usize = 200;

/// The request of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    /// The `N` of `Range: bytes=N-`.
    pub from: Option<usize>,
    pub if_range: Option<String>,
}

/// The answer that the server sends before it closes the connection.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub bytes: Vec<u8>,
    /// Keep the connection open in silence for this long.
    pub stall: Duration,
    /// Send a zero byte this often instead of silence.
    pub drip: Option<Duration>,
}

pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server that answers the `n`-th request, counted from 0, with `answer(n, request)`.
    pub fn start(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let answer = Arc::new(answer);
        let thread = {
            let (requests, stop) = (requests.clone(), stop.clone());
            thread::spawn(move || {
                let mut connections = Vec::new();
                for stream in listener.incoming().take(MAX_REQUESTS).flatten() {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let (requests, stop) = (requests.clone(), stop.clone());
                    let answer = answer.clone();
                    connections.push(thread::spawn(move || {
                        converse(stream, &requests, &stop, answer.as_ref());
                    }));
                }
                for connection in connections {
                    let _ = connection.join();
                }
            })
        };
        Self {
            address,
            requests,
            stop,
            listener: Some(thread),
        }
    }

    /// The address of `path`, which starts with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

fn converse(
    mut stream: TcpStream,
    requests: &Mutex<Vec<Request>>,
    stop: &AtomicBool,
    answer: &(dyn Fn(usize, &Request) -> Reply + Send + Sync),
) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut request = Request {
        path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
        ..Request::default()
    };
    for line in head.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                request.from = value
                    .strip_prefix("bytes=")
                    .and_then(|range| range.strip_suffix('-'))
                    .and_then(|from| from.parse().ok());
                assert!(request.from.is_some(), "{value}");
            }
            "if-range" => request.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    let number = {
        let mut requests = requests.lock().unwrap();
        requests.push(request.clone());
        requests.len() - 1
    };
    let reply = answer(number, &request);
    let _ = stream.write_all(&reply.bytes);
    let end = Instant::now() + reply.stall.min(Duration::from_secs(5));
    while Instant::now() < end && !stop.load(Ordering::SeqCst) {
        thread::sleep(reply.drip.unwrap_or(Duration::from_millis(5)));
        if reply.drip.is_some() && stream.write_all(&[0]).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// A status line, headers and a body.
pub fn raw(status: &str, headers: &[&str], body: &[u8]) -> Reply {
    let mut bytes = format!("HTTP/1.1 {status}\r\nConnection: close\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Reply {
        bytes,
        ..Reply::default()
    }
}

/// An answer without a body.
pub fn status(status: &str) -> Reply {
    raw(status, &["Content-Length: 0"], &[])
}

/// The whole file, whatever the request was; only `sent` bytes arrive.
pub fn whole(content: &[u8], etag: Option<&str>, sent: usize) -> Reply {
    whole_with(&[], content, etag, sent)
}

fn whole_with(headers: &[&str], content: &[u8], etag: Option<&str>, sent: usize) -> Reply {
    let etag = etag.map(|tag| format!("ETag: {tag}"));
    let length = format!("Content-Length: {}", content.len());
    let mut headers = [headers, &[length.as_str()]].concat();
    headers.extend(etag.as_deref());
    raw("200 OK", &headers, &content[..sent.min(content.len())])
}

/// The answer of a correct server; only `sent` bytes of the body arrive.
pub fn proper(content: &[u8], etag: Option<&str>, request: &Request, sent: usize) -> Reply {
    let current = match &request.if_range {
        None => true,
        Some(tag) => Some(tag.as_str()) == etag,
    };
    match request.from {
        Some(from) if current && from < content.len() => {
            let rest = &content[from..];
            let etag = etag.map(|tag| format!("ETag: {tag}"));
            let length = format!("Content-Length: {}", rest.len());
            let range = format!(
                "Content-Range: bytes {from}-{}/{}",
                content.len() - 1,
                content.len()
            );
            let mut headers = vec![length.as_str(), range.as_str()];
            headers.extend(etag.as_deref());
            let rest = &rest[..sent.min(rest.len())];
            raw("206 Partial Content", &headers, rest)
        }
        Some(_) if current => {
            let range = format!("Content-Range: bytes */{}", content.len());
            raw(
                "416 Range Not Satisfiable",
                &["Content-Length: 0", range.as_str()],
                &[],
            )
        }
        _ => whole_with(&["Accept-Ranges: bytes"], content, etag, sent),
    }
}

/// A body in chunks, without a length.
pub fn chunked(body: &[u8]) -> Reply {
    let mut coded = Vec::new();
    for chunk in body.chunks(1000) {
        coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        coded.extend_from_slice(chunk);
        coded.extend_from_slice(b"\r\n");
    }
    coded.extend_from_slice(b"0\r\n\r\n");
    raw("200 OK", &["Transfer-Encoding: chunked"], &coded)
}
