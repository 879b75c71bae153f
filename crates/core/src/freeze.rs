//! Freezing: the whole state as bytes, and back. What is restored behaves exactly as what was frozen.
//!
//! The format is private to one version of the program, or to versions that declare themselves able to
//! read it: a number at the head says which. Nobody else may depend on it.

use thiserror::Error;

use crate::Supervisor;

/// Version of the frozen form; raise it whenever a type inside changes.
const VERSION: u32 = 13;

/// Why a state cannot be frozen or restored.
#[derive(Debug, Error)]
pub enum FreezeError {
    /// The bytes are of another version.
    #[error("frozen state has version {found}, this program reads version {VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
    /// The bytes are too few to carry a version.
    #[error("frozen state is cut short")]
    Truncated,
    /// The bytes are not what they should be.
    #[error("frozen state is damaged")]
    Damaged(#[source] postcard::Error),
}

impl Supervisor {
    /// The whole state as bytes.
    ///
    /// # Errors
    /// When the state cannot be put into bytes, which would be a fault of this program.
    pub fn freeze(&self) -> Result<Vec<u8>, FreezeError> {
        postcard::to_extend(self, VERSION.to_le_bytes().to_vec()).map_err(FreezeError::Damaged)
    }

    /// The state that was frozen.
    ///
    /// # Errors
    /// When the bytes are of another version, or damaged.
    pub fn restore(bytes: &[u8]) -> Result<Self, FreezeError> {
        let (head, rest) = bytes
            .split_first_chunk::<4>()
            .ok_or(FreezeError::Truncated)?;
        let found = u32::from_le_bytes(*head);
        if found != VERSION {
            return Err(FreezeError::Version { found });
        }
        let mut supervisor: Self = postcard::from_bytes(rest).map_err(FreezeError::Damaged)?;
        supervisor.share_configurations();
        Ok(supervisor)
    }

    /// Lets everything that has the same configuration share it, as before the freezing; in the bytes
    /// each has its own.
    fn share_configurations(&mut self) {
        for group in self.groups.iter_mut() {
            if let Some(configured) = self.configured.get(&group.config.name)
                && *configured == group.config
            {
                group.config = configured.clone();
            }
            for (id, config) in group.members.iter().zip(&group.config.processes) {
                if let Some(process) = self.processes.get_mut(id) {
                    process.config = config.clone();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        Supervisor::restore(bytes)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn bytes_of_something_else_are_refused() {
        assert_eq!(text(&[]), "frozen state is cut short");
        assert_eq!(
            text(&[0xFF, 0, 0, 0]),
            format!("frozen state has version 255, this program reads version {VERSION}")
        );
        let mut bytes = VERSION.to_le_bytes().to_vec();
        bytes.extend([0xFF; 9]);
        assert_eq!(text(&bytes), "frozen state is damaged");
    }
}
