//! Circles among dependencies: found one after the other, each taken apart at one edge.
//!
//! The nodes are processes and, so that a large group costs one edge and not one for each member, groups.

use std::collections::HashSet;

/// A written dependency, by its place in a list: the edges that it makes come and go together.
pub(super) type Item = usize;

/// Who waits for whom.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// From each node: where to, and by which dependency; none is from a group to its members.
    edges: Vec<Vec<(usize, Option<Item>)>>,
}

/// Nodes that wait for each other, each with the dependency that leads to the next one, the last to the first.
pub(super) type Circle = Vec<(usize, Option<Item>)>;

impl Graph {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            edges: vec![Vec::new(); nodes],
        }
    }

    pub(super) fn add(&mut self, from: usize, to: usize, item: Option<Item>) {
        self.edges[from].push((to, item));
    }

    /// The first circle that does not need any of some dependencies. It begins with its lowest node.
    pub(super) fn circle(&self, without: &HashSet<Item>) -> Option<Circle> {
        let mut states = vec![State::New; self.edges.len()];
        for start in 0..self.edges.len() {
            if states[start] == State::New
                && let Some(mut circle) = self.circle_from(start, &mut states, without)
            {
                let lowest = circle.iter().enumerate().min_by_key(|(_, step)| step.0);
                let lowest = lowest.map_or(0, |(position, _)| position);
                circle.rotate_left(lowest);
                return Some(circle);
            }
        }
        None
    }

    /// A walk in depth, with a path of its own instead of the stack: chains may be long.
    fn circle_from(
        &self,
        start: usize,
        states: &mut [State],
        without: &HashSet<Item>,
    ) -> Option<Circle> {
        // Each node with the next of its edges to look at.
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        states[start] = State::OnPath;
        while let Some((node, next)) = path.last_mut() {
            let Some((to, item)) = self.edges[*node].get(*next).copied() else {
                states[*node] = State::Done;
                path.pop();
                continue;
            };
            *next += 1;
            if item.is_some_and(|item| without.contains(&item)) {
                continue;
            }
            match states[to] {
                State::Done => {}
                State::New => {
                    states[to] = State::OnPath;
                    path.push((to, 0));
                }
                State::OnPath => {
                    let begin = path.iter().position(|(node, _)| *node == to)?;
                    // The edge that was taken is the one before the next.
                    let circle = path[begin..].iter().map(|(node, next)| {
                        let taken = self.edges[*node].get(next.saturating_sub(1));
                        (*node, taken.and_then(|(_, item)| *item))
                    });
                    return Some(circle.collect());
                }
            }
        }
        None
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    OnPath,
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(nodes);
        for (item, (from, to)) in edges.iter().enumerate() {
            graph.add(*from, *to, Some(item));
        }
        graph
    }

    #[test]
    fn circles_are_found_until_there_are_none() {
        let graph = graph(5, &[(0, 1), (1, 2), (2, 1), (3, 4), (4, 3), (2, 2)]);
        let mut without = HashSet::new();
        let mut found = Vec::new();
        while let Some(circle) = graph.circle(&without) {
            without.extend(circle.last().and_then(|(_, item)| *item));
            found.push(circle);
        }
        assert_eq!(
            found,
            [
                vec![(1, Some(1)), (2, Some(2))],
                vec![(2, Some(5))],
                vec![(3, Some(3)), (4, Some(4))],
            ]
        );
    }

    #[test]
    fn a_diamond_is_no_circle_and_a_long_chain_needs_no_stack() {
        let diamond = graph(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert_eq!(diamond.circle(&HashSet::new()), None);
        let length = 200_000;
        let edges: Vec<(usize, usize)> = (1..length).map(|node| (node - 1, node)).collect();
        assert_eq!(graph(length, &edges).circle(&HashSet::new()), None);
    }
}
