//! Numbered places for things that epoll refers to by number.

/// A vector whose free places are used again.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
        }
    }
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

impl<T> Slots<T> {
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.places[index(slot)] = Some(item);
            return slot;
        }
        self.places.push(Some(item));
        // There are fewer descriptors than this in a process.
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        self.places.get(index(slot))?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.places.get_mut(index(slot))?.as_mut()
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let item = self.places.get_mut(index(slot))?.take()?;
        self.free.push(slot);
        Some(item)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0u32..)
            .zip(&self.places)
            .filter_map(|(slot, place)| Some((slot, place.as_ref()?)))
    }

    /// The numbers in use now, so that the slots may change while going through them.
    pub(crate) fn occupied(&self) -> Vec<u32> {
        self.iter().map(|(slot, _)| slot).collect()
    }
}
