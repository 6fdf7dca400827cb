//! The number by which each write of a state record differs from the one before.

use crate::dns::record_set::MAX_TTL;

/// Number of a state record's content. Each write has the next one, so no two writes are equal,
/// and a write succeeds only if nobody has written since the content was read, even if all entries
/// are the same again.
///
/// It is the TTL of the record set, which nobody resolves: there it takes no room in a request, and
/// the forerunners don't look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u32);

/// The least TTL that is a generation. No record set that people resolve has such a TTL: it is 34
/// years.
const LEAST_GENERATION: u32 = 1 << 30;

impl Generation {
    /// The generation with this TTL; none if the TTL is one of the usual size, as programs write it
    /// that know of no generations.
    pub fn of_ttl(ttl: u32) -> Option<Generation> {
        (LEAST_GENERATION..=MAX_TTL)
            .contains(&ttl)
            .then_some(Generation(ttl))
    }

    /// Any generation: a different one for each number, as far as there are.
    pub fn of_number(number: u64) -> Generation {
        let few = number % u64::from(LEAST_GENERATION);
        Generation(LEAST_GENERATION | few as u32)
    }

    /// The generation of the next write.
    pub fn next(self) -> Generation {
        match self.0 {
            MAX_TTL => Generation(LEAST_GENERATION),
            ttl => Generation(ttl + 1),
        }
    }

    /// The TTL.
    pub fn ttl(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_ttls_that_no_other_record_set_has() {
        for (ttl, is_generation) in [
            (0, false),
            (300, false),
            (604_800, false),
            (LEAST_GENERATION - 1, false),
            (LEAST_GENERATION, true),
            (MAX_TTL, true),
        ] {
            assert_eq!(Generation::of_ttl(ttl).is_some(), is_generation, "{ttl}");
        }
        for number in [0, 1, 7, u64::from(u32::MAX), u64::MAX] {
            let generation = Generation::of_number(number);
            assert_eq!(Generation::of_ttl(generation.ttl()), Some(generation));
            let next = generation.next();
            assert_eq!(Generation::of_ttl(next.ttl()), Some(next));
            assert_ne!(next, generation);
        }
    }
}
