//! Finds the object that a path leads to, through groups and soft links.

use super::error::{Hdf5Problem, Result};
use super::group::{Target, links};
use super::source::Source;

/// Maximum number of soft links that are followed, as in the HDF5 library. Links may lead in a circle.
const MAX_LINKS: usize = 16;

/// Maximum number of names on the way, far more than in real files.
const MAX_STEPS: usize = 64;

/// Address of the header of the object at `path`, which starts at the group at `root`.
pub(super) fn object(source: &Source, root: u64, path: &str) -> Result<u64> {
    let mut group = root;
    // The names that are left, the next one last.
    let mut left: Vec<String> = parts(path).collect();
    let mut last_link = None;
    let (mut steps, mut followed) = (0, 0);
    while let Some(part) = left.pop() {
        let links = links(source, group)?;
        let target = links.iter().find(|(name, _)| *name == part);
        let target = target.map(|(_, target)| target.clone());
        let dead = |target: String, reason| Hdf5Problem::DeadLink {
            name: path.to_owned(),
            target,
            reason,
        };
        steps += 1;
        match (target, last_link.take()) {
            (_, Some(link)) if steps > MAX_STEPS => return Err(dead(link, "is too long a path")),
            (Some(Target::Object(address)), link) => {
                group = address;
                last_link = link;
            }
            (Some(Target::Soft(target)), _) => {
                followed += 1;
                if followed > MAX_LINKS {
                    return Err(dead(target, "leads through more than 16 soft links"));
                }
                if target.starts_with('/') {
                    group = root;
                }
                left.extend(parts(&target));
                last_link = Some(target);
            }
            (Some(Target::External(file)), _) => {
                return Err(Hdf5Problem::unsupported(
                    &format!("dataset {path}"),
                    format!("a link into another file, `{file}`,"),
                ));
            }
            (Some(Target::Unknown(kind)), _) => {
                return Err(Hdf5Problem::unsupported(
                    &format!("dataset {path}"),
                    format!("a link of kind {kind}"),
                ));
            }
            (None, Some(link)) => return Err(dead(link, "is not there")),
            (None, None) => {
                return Err(Hdf5Problem::NoDataset {
                    name: path.to_owned(),
                    known: links.into_iter().map(|(name, _)| name).collect(),
                });
            }
        }
    }
    Ok(group)
}

/// The names on a path, the first one last.
fn parts(path: &str) -> impl Iterator<Item = String> {
    let parts = path.split('/').rev();
    parts
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
}
