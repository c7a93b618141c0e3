//! A list that grows by chunks: a list of millions that doubled would be half empty, and twice in memory while it moves.

/// So many things lie side by side.
const CHUNK: usize = 1_024;

/// The things, by number.
#[derive(Debug)]
pub(crate) struct Chunks<T> {
    /// All but the last are full.
    chunks: Vec<Vec<T>>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Chunks<T> {
        Chunks { chunks: Vec::new() }
    }
}

impl<T> Chunks<T> {
    pub(crate) fn len(&self) -> usize {
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        full + self.chunks.last().map_or(0, Vec::len)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        self.chunks.get(number / CHUNK)?.get(number % CHUNK)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let number = number as usize;
        self.chunks.get_mut(number / CHUNK)?.get_mut(number % CHUNK)
    }

    /// Puts a thing at the end; answers its number.
    pub(crate) fn push(&mut self, thing: T) -> u32 {
        // Four billion incidents or events do not fit into memory.
        let number = u32::try_from(self.len()).unwrap_or(u32::MAX);
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(thing),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(thing);
                self.chunks.push(chunk);
            }
        }
        number
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_a_list() {
        let mut chunks = Chunks::default();
        assert_eq!((chunks.len(), chunks.get(0)), (0, None));
        for number in 0..3_000_u32 {
            assert_eq!(chunks.push(number), number);
            assert_eq!(chunks.len(), number as usize + 1);
        }
        *chunks.get_mut(2_047).unwrap() = 7;
        assert_eq!(
            (chunks.get(2_047), chunks.get(2_048), chunks.get(3_000)),
            (Some(&7), Some(&2_048), None)
        );
        assert_eq!(chunks.iter().filter(|number| **number == 7).count(), 2);
    }
}
