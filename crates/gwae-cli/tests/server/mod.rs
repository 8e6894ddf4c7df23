//! A small HTTP server on 127.0.0.1 for download tests.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The raw bytes to send before the connection is closed.
pub struct Reply(Vec<u8>);

impl Reply {
    /// The bytes of `file` from `from` to `end`; the header announces all bytes to the end of the
    /// file.
    pub fn part(file: &[u8], from: usize, end: usize) -> Self {
        let status = match from {
            0 => "200 OK".to_owned(),
            _ => format!(
                "206 Partial Content\r\nContent-Range: bytes {from}-{}/{}",
                file.len() - 1,
                file.len()
            ),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"one\"\r\nAccept-Ranges: bytes\r\n\
             Connection: close\r\n\r\n",
            file.len() - from
        );
        Self([head.as_bytes(), &file[from..end]].concat())
    }

    pub fn not_found() -> Self {
        let head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        Self(head.into())
    }
}

/// The path, and the first requested byte.
pub type Request = (String, usize);

pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers the `n`-th request, counted from 0, with `answer(n, path, first byte)`.
    pub fn start(answer: impl Fn(usize, &str, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::<Request>::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let shared = (requests.clone(), stop.clone());
        let thread = thread::spawn(move || {
            let (requests, stop) = shared;
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let Some((path, from)) = read(&stream) else {
                    continue;
                };
                let number = requests.lock().unwrap().len();
                requests.lock().unwrap().push((path.clone(), from));
                // The client may close the connection before it has read everything.
                let _ = (&stream).write_all(&answer(number, &path, from).0);
            }
        });
        Self {
            address,
            requests,
            stop,
            thread: Some(thread),
        }
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes up the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut from = 0;
    for line in lines {
        let line = line.ok()?.to_ascii_lowercase();
        if line.is_empty() {
            return Some((path, from));
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok()?;
        }
    }
    None
}
