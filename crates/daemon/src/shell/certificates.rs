//! Certificates and trusted authorities that change while services run.

use std::sync::Arc;

use linchpin_config::OnChange;
use linchpin_log::LogLevel;

use super::Shell;
use crate::boot::{CertificateNews, Looked, seconds};
use crate::loading::Loaded;

impl Shell {
    pub(super) fn begin_certificates(&mut self) {
        if let Err(error) = self.certificates.begin() {
            self.logs.log(
                LogLevel::Warn,
                format!("certificates and trusted authorities are looked at only when the configuration is read: {error}"),
            );
        }
    }

    /// Takes what the thread has found.
    pub(super) fn take_certificates(&mut self, looked: Looked) {
        let mut news = self.certificates.take(looked, seconds());
        if let Some(trust) = news.trust.take() {
            self.site.settings.trust(Some(Arc::new(trust)));
        }
        self.tell_of_certificates(news);
    }

    /// Goes on with the certificates of a configuration that was read.
    pub(super) fn follow_certificates(&mut self, loaded: &mut Loaded) {
        let looked = std::mem::take(&mut loaded.looked);
        let (news, is_other) = self.certificates.follow(&loaded.config.boot, looked);
        if is_other {
            self.begin_certificates();
        }
        self.tell_of_certificates(news);
    }

    fn tell_of_certificates(&mut self, news: CertificateNews) {
        for (level, text) in news.lines {
            self.logs.log(level, text);
        }
        for (name, services) in news.changed {
            let why = format!("[certificate:{name}] has changed");
            self.read_again(&services, &[], &why, OnChange::Reload);
        }
    }
}
