//! A server that answers properly unless it was told not to, and remembers what it was asked.

use crate::http::{Handler, Reply, Request, Response};
use crate::lock::lock;
use crate::port::Port;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// None: so that only later ones meet what is queued after it.
    Spared,
    /// The connection closes without an answer.
    Drop,
    /// Silence this long, then the connection closes.
    Hang(Duration),
    /// 200 with half of the proper body.
    Half,
    /// 200 with this body.
    Garbled(Vec<u8>),
    /// This answer.
    Answer(Response),
    /// A redirect to there.
    Redirect(String),
}

/// A running endpoint. Dropping it closes its port and every connection.
pub struct Endpoint {
    shared: Arc<Shared>,
    port: Port,
}

struct Shared {
    answer: Box<dyn Fn(&Request) -> Response + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    /// Of which path, what, how often.
    faults: Vec<(String, Fault, usize)>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

struct Service(Arc<Shared>);

impl Handler for Service {
    fn handle(&self, request: &Request) -> Reply {
        let fault = {
            let mut state = self.0.lock();
            let faults = &mut state.faults;
            let index = faults
                .iter()
                .position(|(path, _, _)| request.path.starts_with(path));
            index.map(|index| {
                let (_, fault, left) = &mut faults[index];
                *left -= 1;
                let (fault, is_over) = (fault.clone(), *left == 0);
                if is_over {
                    faults.remove(index);
                }
                fault
            })
        };
        let reply = match fault {
            None | Some(Fault::Spared) => Reply::Send((self.0.answer)(request)),
            Some(Fault::Drop) => Reply::Drop,
            Some(Fault::Hang(longest)) => Reply::Hang(longest),
            Some(Fault::Half) => {
                let mut response = (self.0.answer)(request);
                let body = Arc::make_mut(&mut response.body);
                body.truncate(body.len() / 2);
                Reply::Send(response)
            }
            Some(Fault::Garbled(body)) => Reply::Send(Response::new(200, "text/plain", body)),
            Some(Fault::Answer(response)) => Reply::Send(response),
            Some(Fault::Redirect(to)) => {
                Reply::Send(Response::new(302, "text/plain", "").with_header("Location", &to))
            }
        };
        self.0.lock().requests.push(request.clone());
        self.0.changed.notify_all();
        reply
    }
}

impl Endpoint {
    /// Starts one on a free port of the loopback interface, over plain HTTP.
    pub fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Endpoint {
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let port = Port::open(Arc::new(Service(shared.clone())));
        Endpoint { shared, port }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.port.url()
    }

    /// Lets this happen to the next so many requests whose paths start so.
    pub fn inject(&self, path: &str, fault: Fault, times: usize) {
        if times > 0 {
            self.shared
                .lock()
                .faults
                .push((path.to_owned(), fault, times));
        }
    }

    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Takes it off the network: connections are refused.
    pub fn go_down(&self) {
        self.port.close();
    }

    /// Brings it back at the address it had.
    pub fn come_up(&self) {
        self.port.open_again();
    }

    /// All that it was asked, whatever came of it.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// Waits until there were so many requests.
    pub fn wait_for_requests(&self, count: usize, timeout: Duration) -> bool {
        let (_state, waited) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), timeout, |state| {
                state.requests.len() < count
            })
            .unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }
}
