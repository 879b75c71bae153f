//! What was made as root, for a daemon that goes on as another user: it must be able to make it anew.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::{Path, PathBuf};

use linchpin_config::{BootConfig, LinchpinConfig, TemplateConfig};

use super::keeping::Which;

/// Gives what a boot has made to a user. What is somebody else's already, such as a key with `owner=`, and everything in
/// these directories that is not ours to make, stays as it is. `new_directories` are those that were made for it.
///
/// # Errors
/// The first thing that cannot be given.
pub fn give_to(
    boot: &BootConfig,
    linchpin: Option<&LinchpinConfig>,
    new_directories: &[PathBuf],
    user: u32,
    group: Option<u32>,
) -> io::Result<()> {
    let giver = Giver {
        from: rustix::process::geteuid().as_raw(),
        user,
        group,
    };
    if giver.from == user {
        return Ok(());
    }
    for directory in new_directories {
        giver.alone(directory)?;
    }
    if let Some(roots) = &boot.ca_roots {
        giver.all(Path::new(&roots.output), true)?;
    }
    for certificate in &boot.certificates {
        let output = Path::new(&certificate.output);
        if let Some(parent) = output.parent() {
            giver.alone(parent)?;
            giver.alone(&parent.join(".lock"))?;
        }
        giver.all(output, certificate.owner.is_none())?;
        giver.all(Path::new(&certificate.authority), true)?;
    }
    for template in &boot.templates {
        let kept = Path::new(&template.kept);
        if let Some(parent) = kept.parent() {
            giver.alone(parent)?;
            giver.alone(&parent.join(".lock"))?;
        }
        giver.all(kept, true)?;
        giver.made_of(template, linchpin)?;
    }
    if let Some(directory) = linchpin.and_then(LinchpinConfig::report_directory) {
        for which in Which::ALL {
            giver.alone(&Path::new(directory).join(which.file()))?;
        }
    }
    Ok(())
}

struct Giver {
    from: u32,
    user: u32,
    group: Option<u32>,
}

impl Giver {
    /// One file, directory or link, if it is there and ours.
    fn alone(&self, path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.uid() == self.from => lchown(path, Some(self.user), self.group),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What was made of a template, and, below the directories of `[linchpin]`, the directories around it.
    fn made_of(
        &self,
        template: &TemplateConfig,
        linchpin: Option<&LinchpinConfig>,
    ) -> io::Result<()> {
        let target = Path::new(&template.target);
        for file in crate::templates::files_of(template) {
            if template.owner.is_none() || file.1 {
                self.alone(&file.0)?;
            }
        }
        let ours = linchpin
            .into_iter()
            .flat_map(|it| [&it.run_directory, &it.state_directory])
            .flatten();
        for directory in ours {
            let inside =
                |path: &&Path| path.starts_with(directory) && *path != Path::new(directory);
            for path in target.ancestors().skip(1).take_while(inside) {
                self.alone(path)?;
            }
        }
        Ok(())
    }

    /// A directory of ours with what is in it.
    fn all(&self, directory: &Path, with_keys: bool) -> io::Result<()> {
        let is_directory = fs::symlink_metadata(directory).is_ok_and(|found| found.is_dir());
        if !is_directory {
            return Ok(());
        }
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let is_key = path.ends_with(crate::certificates::KEY);
            if fs::symlink_metadata(&path)?.is_dir() {
                self.all(&path, with_keys)?;
            } else if with_keys || !is_key {
                self.alone(&path)?;
            }
        }
        self.alone(directory)
    }
}
