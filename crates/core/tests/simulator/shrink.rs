//! Leaves out of a failing history what it does not need.

use super::stimulus::Stimulus;

/// The most replays that one shrinking may take.
const REPLAYS: usize = 3_000;

/// A part of the stimuli, in order, that still fails and from which no single one can be left out (unless
/// that takes too many replays).
pub(crate) fn shrink(
    stimuli: &[Stimulus],
    mut fails: impl FnMut(&[Stimulus]) -> bool,
) -> Vec<Stimulus> {
    let mut rest = stimuli.to_vec();
    let mut replays = 0;
    if !fails(&rest) {
        return rest;
    }
    let mut chunk = rest.len().div_ceil(2);
    while chunk > 0 {
        let before = rest.len();
        let mut from = 0;
        while from < rest.len() && replays < REPLAYS {
            let to = (from + chunk).min(rest.len());
            let mut candidate = rest[..from].to_vec();
            candidate.extend_from_slice(&rest[to..]);
            replays += 1;
            if fails(&candidate) {
                rest = candidate;
            } else {
                from = to;
            }
        }
        if replays >= REPLAYS {
            break;
        }
        if chunk > 1 {
            chunk /= 2;
        } else if rest.len() == before {
            break;
        }
    }
    rest
}
