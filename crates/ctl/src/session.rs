//! The connection to the daemon, made anew when address or credentials change.

use std::rc::Rc;
use std::time::Duration;

use linchpin_protocol::client::{Client, ClientError, Resolver, Waiter};
use linchpin_protocol::{ReadValue, WriteValue};

use crate::error::CommandError;
use crate::settings::Settings;

/// Where the daemon is and who asks, for another thread to connect.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    url: String,
    credentials: Option<(String, String)>,
    resolver: Resolver,
}

impl Address {
    /// A connection of one's own, which is made when it is first used.
    pub(crate) fn connect(&self) -> Session {
        Session {
            url: self.url.clone(),
            credentials: self.credentials.clone(),
            resolver: self.resolver,
            waiter: None,
            longest_silence: None,
            client: None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Session {
    url: String,
    credentials: Option<(String, String)>,
    resolver: Resolver,
    waiter: Option<Rc<dyn Waiter>>,
    longest_silence: Option<Duration>,
    client: Option<Client>,
}

impl Session {
    pub(crate) fn new(settings: &Settings, resolver: Resolver) -> Self {
        Self {
            url: settings.serverurl.clone(),
            credentials: settings.username.clone().zip(settings.password.clone()),
            resolver,
            waiter: None,
            longest_silence: None,
            client: None,
        }
    }

    /// The same without settings of supervisorctl.
    pub(crate) fn at(
        url: String,
        credentials: Option<(String, String)>,
        resolver: Resolver,
    ) -> Self {
        Address {
            url,
            credentials,
            resolver,
        }
        .connect()
    }

    pub(crate) fn address(&self) -> Address {
        Address {
            url: self.url.clone(),
            credentials: self.credentials.clone(),
            resolver: self.resolver,
        }
    }

    /// Gives up when the daemon is silent for longer than this.
    pub(crate) fn with_longest_silence(mut self, silence: Duration) -> Self {
        self.longest_silence = Some(silence);
        self
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn set_url(&mut self, url: &str) {
        url.clone_into(&mut self.url);
        self.client = None;
    }

    pub(crate) fn set_credentials(&mut self, username: String, password: String) {
        self.credentials = Some((username, password));
        self.client = None;
    }

    /// Waits for the daemon through this from now on.
    pub(crate) fn set_waiter(&mut self, waiter: Rc<dyn Waiter>) {
        if let Some(client) = &mut self.client {
            client.set_waiter(Rc::clone(&waiter));
        }
        self.waiter = Some(waiter);
    }

    /// The client; a bad address is noticed here, with the first command that needs it.
    pub(crate) fn client(&mut self) -> Result<&mut Client, ClientError> {
        let client = match self.client.take() {
            Some(client) => client,
            None => {
                let mut client = Client::new(self.url.parse()?).with_resolver(self.resolver);
                if let Some(longest_silence) = self.longest_silence {
                    client = client.with_read_timeout(longest_silence);
                }
                if let Some(waiter) = &self.waiter {
                    client.set_waiter(Rc::clone(waiter));
                }
                match &self.credentials {
                    Some((username, password)) => client.with_credentials(username, password),
                    None => client,
                }
            }
        };
        Ok(self.client.insert(client))
    }

    /// Calls a method.
    pub(crate) fn call<'c, T: ReadValue<'c>>(
        &'c mut self,
        method: &str,
        parameters: &[&dyn WriteValue],
    ) -> Result<T, CommandError> {
        // Cloned only on the way out: the client keeps this borrowed for as long as the result.
        let url = self.url.clone();
        self.client()
            .and_then(|client| client.call(method, parameters))
            .map_err(|error| CommandError::from_client(error, &url))
    }

    /// Calls a method whose result only says that it worked.
    pub(crate) fn command(
        &mut self,
        method: &str,
        parameters: &[&dyn WriteValue],
    ) -> Result<(), CommandError> {
        self.call::<bool>(method, parameters).map(|_| ())
    }
}
