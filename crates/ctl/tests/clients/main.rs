//! Our `supervisorctl` beside the original's, and against daemons that misbehave.

#[cfg(test)]
mod differential;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trouble;
