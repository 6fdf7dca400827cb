//! A listening socket, each of whose connections is served on a thread of its own.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::lock::lock;

/// Dropping it closes the socket and every connection.
pub struct Listening {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Option<thread::JoinHandle<()>>,
}

impl Listening {
    /// Serves whoever connects. A connection is closed when `serve` returns; the flag becomes true
    /// when it should.
    pub fn start(
        listener: TcpListener,
        serve: impl Fn(&TcpStream, &AtomicBool) + Send + Sync + 'static,
    ) -> Listening {
        let address = listener.local_addr().expect("a bound socket");
        let stop = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let accepting = thread::spawn({
            let (stop, connections) = (stop.clone(), connections.clone());
            move || accept(&listener, &stop, &connections, &Arc::new(serve))
        });
        Listening {
            address,
            stop,
            connections,
            accepting: Some(accepting),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the accept loop
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for stream in lock(&self.connections).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn accept(
    listener: &TcpListener,
    stop: &Arc<AtomicBool>,
    connections: &Mutex<Vec<TcpStream>>,
    serve: &Arc<impl Fn(&TcpStream, &AtomicBool) + Send + Sync + 'static>,
) {
    for stream in listener.incoming().flatten() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(copy) = stream.try_clone() else {
            continue;
        };
        let mut open = lock(connections);
        open.retain(|stream| stream.peer_addr().is_ok());
        open.push(copy);
        let (stop, serve) = (stop.clone(), serve.clone());
        thread::spawn(move || {
            serve(&stream, &stop);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}
