//! The weights of the linear model, compiled in.

use std::sync::LazyLock;

use policy::Class;

use crate::facet::Facet;
use crate::features::{BUCKETS, Feature};

/// The classes that the model tells apart, in the order of its columns.
pub const CLASSES: [Class; 5] = [Class::Read, Class::Write, Class::Execute, Class::Destructive, Class::Financial];

/// A column for each class, then one for each facet.
pub(crate) const COLUMNS: usize = CLASSES.len() + Facet::ALL.len();

/// A row is as wide as four words of the processor; three columns are spare.
const WIDTH: usize = 16;
/// The row of features without weight.
pub(crate) const NOTHING: u16 = 0;
const MAGIC: &[u8; 8] = b"TGrisk\x01\n";

static MODEL: LazyLock<Weights> = LazyLock::new(|| {
    // A broken file is found by the tests; at run time everything is then unclassified.
    Weights::parse(include_bytes!("../weights.bin")).unwrap_or_else(|_| Weights::new([0.0; COLUMNS], 1.0))
});

/// The model that is compiled in.
pub(crate) fn model() -> &'static Weights {
    &MODEL
}

/// The weights of every feature for every class and facet.
pub struct Weights {
    /// Which row a feature has: most have [`NOTHING`].
    index: Box<[u16; BUCKETS]>,
    rows: Vec<[i8; WIDTH]>,
    /// What a column begins with.
    bias: [f32; COLUMNS],
    /// What a unit of a row is worth.
    scale: f32,
}

/// The bytes are not weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseWeightsError;

impl std::fmt::Display for ParseWeightsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("these are not the weights of a model; `cargo xtask train` writes them")
    }
}

impl std::error::Error for ParseWeightsError {}

impl Weights {
    /// A model whose every feature has no weight.
    #[must_use]
    pub fn new(bias: [f32; COLUMNS], scale: f32) -> Weights {
        Weights { index: Box::new([0; BUCKETS]), rows: vec![[0; WIDTH]], bias, scale }
    }

    /// Sets the weights of one feature, in units of the scale. There is room for 65,535. Those that are
    /// set one after the other lie side by side: begin with the most frequent.
    pub fn set(&mut self, bucket: u16, weights: [i8; COLUMNS]) {
        if let (Some(index), Ok(next)) = (self.index.get_mut(usize::from(bucket)), u16::try_from(self.rows.len())) {
            let mut row = [0; WIDTH];
            row.iter_mut().zip(weights).for_each(|(cell, weight)| *cell = weight);
            *index = next;
            self.rows.push(row);
        }
    }

    /// The row of a feature that says anything.
    pub(crate) fn known(&self, bucket: u16) -> Option<u16> {
        Some(self.row_of(bucket)).filter(|row| *row != NOTHING)
    }

    /// The row of a feature; [`NOTHING`] for one that says nothing.
    pub(crate) fn row_of(&self, bucket: u16) -> u16 {
        self.index.get(usize::from(bucket)).copied().unwrap_or(NOTHING)
    }

    /// Reads what [`to_bytes`](Weights::to_bytes) wrote.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(bytes: &[u8]) -> Result<Weights, ParseWeightsError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(ParseWeightsError)?;
        let (scale, rest) = rest.split_first_chunk().ok_or(ParseWeightsError)?;
        let (biases, rest) = rest.split_first_chunk::<{ 4 * COLUMNS }>().ok_or(ParseWeightsError)?;
        let mut bias = [0.0; COLUMNS];
        for (bias, bytes) in bias.iter_mut().zip(biases.as_chunks().0) {
            *bias = f32::from_le_bytes(*bytes);
        }
        let mut weights = Weights::new(bias, f32::from_le_bytes(*scale));
        let (rows, rest) = rest.as_chunks::<{ 2 + COLUMNS }>();
        if !rest.is_empty() {
            return Err(ParseWeightsError);
        }
        for row in rows {
            let (bucket, cells) = row.split_first_chunk().ok_or(ParseWeightsError)?;
            let cells: [u8; COLUMNS] = cells.try_into().map_err(|_| ParseWeightsError)?;
            weights.set(u16::from_le_bytes(*bucket), cells.map(u8::cast_signed));
        }
        Ok(weights)
    }

    /// The model as a file: features without weight are left out.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.scale.to_le_bytes());
        bytes.extend(self.bias.iter().flat_map(|bias| bias.to_le_bytes()));
        let mut known: Vec<(u16, u16)> =
            (0..=u16::MAX).filter_map(|bucket| Some((self.known(bucket)?, bucket))).collect();
        known.sort_unstable();
        for (row, bucket) in known {
            bytes.extend(bucket.to_le_bytes());
            bytes.extend(self.row(row).iter().take(COLUMNS).map(|cell| cell.cast_unsigned()));
        }
        bytes
    }

    /// What each column says of these features, as log odds.
    pub(crate) fn score(&self, features: &[Feature]) -> [f32; COLUMNS] {
        let mut sums = [0_i32; WIDTH];
        // So many rows fit into sums of sixteen bits, which the processor adds eight at a time.
        for part in features.chunks(i16::MAX as usize / 128) {
            let mut short = [0_i16; WIDTH];
            for feature in part {
                let row = self.row(feature.row);
                // A check for an overflow that cannot be would keep the additions from being one.
                short.iter_mut().zip(row).for_each(|(sum, cell)| *sum = sum.wrapping_add(i16::from(*cell)));
            }
            sums.iter_mut().zip(short).for_each(|(sum, short)| *sum += i32::from(short));
        }
        let mut scores = self.bias;
        for (score, sum) in scores.iter_mut().zip(sums) {
            #[expect(clippy::cast_precision_loss, reason = "at most 700 features of 127 units each")]
            let sum = sum as f32;
            *score += self.scale * sum;
        }
        scores
    }

    /// What a unit of a weight is worth, as log odds.
    pub(crate) fn scale(&self) -> f32 {
        self.scale
    }

    /// What one feature says for one column against another, in units of the scale.
    pub(crate) fn margin(&self, row: u16, column: usize, other: usize) -> i32 {
        let row = self.row(row);
        let of = |column: usize| row.get(column).copied().map_or(0, i32::from);
        of(column) - of(other)
    }

    fn row(&self, row: u16) -> &[i8; WIDTH] {
        const SILENT: [i8; WIDTH] = [0; WIDTH];
        self.rows.get(usize::from(row)).unwrap_or(&SILENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_in_can_be_read() {
        assert!(Weights::parse(include_bytes!("../weights.bin")).is_ok());
    }

    #[test]
    fn written_and_read_again() {
        let mut weights = Weights::new([0.5; COLUMNS], 0.25);
        weights.set(7, [-3; COLUMNS]);
        let bytes = weights.to_bytes();
        assert_eq!(Weights::parse(&bytes).unwrap().to_bytes(), bytes);
        assert_eq!(Weights::parse(&bytes[1..]).err(), Some(ParseWeightsError));
        assert_eq!(Weights::parse(&bytes[..bytes.len() - 1]).err(), Some(ParseWeightsError));
    }
}
