//! Whether services have come up, from what is seen of them.

use linchpin_protocol::api::ServiceStatus;

/// How those stand that are waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All are ready.
    Ready,
    /// These are not yet, by their places in the list.
    NotYet(Vec<usize>),
    /// These will not be by themselves.
    Failed(Vec<usize>),
}

/// `awaited` are groups and names; `seen` is everything that there is.
pub(super) fn judge(awaited: &[(String, String)], seen: &[ServiceStatus]) -> Verdict {
    let (mut missing, mut failed) = (Vec::new(), Vec::new());
    for (index, (group, name)) in awaited.iter().enumerate() {
        let service = seen
            .iter()
            .find(|service| service.group == *group && service.name == *name);
        match service {
            Some(service) if is_ready(service) => {}
            Some(service) if !has_failed(service) => missing.push(index),
            Some(_) | None => failed.push(index),
        }
    }
    if !failed.is_empty() {
        Verdict::Failed(failed)
    } else if missing.is_empty() {
        Verdict::Ready
    } else {
        Verdict::NotYet(missing)
    }
}

fn is_ready(service: &ServiceStatus) -> bool {
    // What a oneshot has done before does not count while it does it again.
    service.ready && !(service.oneshot && is_under_way(service))
}

fn is_under_way(service: &ServiceStatus) -> bool {
    ["STARTING", "RUNNING", "BACKOFF", "STOPPING"].contains(&service.state.as_str())
}

fn has_failed(service: &ServiceStatus) -> bool {
    !is_under_way(service) && service.next_ms.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, state: &str, ready: bool) -> ServiceStatus {
        let text = format!(
            r#"{{"service":"{name}","group":"{name}","name":"{name}","state":"{state}","since":0,"reason":"","text":"","ready":{ready},"wanted":true,"restarts":0}}"#
        );
        linchpin_protocol::api::read(&text).unwrap()
    }

    fn judged(services: &[ServiceStatus], names: &[&str]) -> Verdict {
        let awaited: Vec<(String, String)> = names
            .iter()
            .map(|name| ((*name).to_owned(), (*name).to_owned()))
            .collect();
        judge(&awaited, services)
    }

    #[test]
    fn ready_is_when_all_are_and_failed_as_soon_as_one_has() {
        let all = [
            service("up", "RUNNING", true),
            service("slow", "RUNNING", false),
            service("again", "BACKOFF", false),
            service("dead", "FATAL", false),
            service("done", "EXITED", true),
            service("gone", "EXITED", false),
        ];
        assert_eq!(judged(&all, &[]), Verdict::Ready);
        assert_eq!(judged(&all, &["up", "done"]), Verdict::Ready);
        assert_eq!(
            judged(&all, &["up", "slow", "again"]),
            Verdict::NotYet(vec![1, 2])
        );
        assert_eq!(
            judged(&all, &["slow", "dead", "gone", "nobody"]),
            Verdict::Failed(vec![1, 2, 3])
        );
    }

    #[test]
    fn what_will_come_by_itself_has_not_failed() {
        let later = ServiceStatus {
            next_ms: Some(500),
            ..service("later", "EXITED", false)
        };
        assert_eq!(judged(&[later], &["later"]), Verdict::NotYet(vec![0]));
    }

    #[test]
    fn a_oneshot_is_waited_for_although_it_has_done_its_work_before() {
        let mut job = ServiceStatus {
            oneshot: true,
            completed: true,
            ..service("job", "RUNNING", true)
        };
        assert_eq!(judged(&[job.clone()], &["job"]), Verdict::NotYet(vec![0]));
        job.state = "EXITED".to_owned();
        assert_eq!(judged(&[job], &["job"]), Verdict::Ready);
    }
}
