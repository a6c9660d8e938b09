//! Logistic regression: one softmax over the classes, one binary model for each facet.
//!
//! Stochastic gradient descent with a step for every weight (AdaGrad, Duchi et al. 2011) and decay.
//! The order of the examples comes from a fixed seed, and no function of the system is used whose
//! last digit differs between processors: the same features give the same weights everywhere.

use risk::{BUCKETS, CLASSES, Facet, Weights};

use super::examples::{Example, Label};

const COLUMNS: usize = CLASSES.len() + Facet::ALL.len();
const ROUNDS: u8 = 30;
/// The rounds before the weights settle; the model is the mean of those after (Polyak and Juditsky 1992).
const SETTLED: u8 = 8;
const STEP: f32 = 0.05;
const DECAY: f32 = 2e-3;
/// What a facet that holds weighs beside one that does not: few hold.
const HOLDS: f32 = 2.0;
/// A feature whose weights are no more than so many units says nothing, and is left out.
const NEGLIGIBLE: u8 = 9;
/// What an acceptable other class is worth beside the class itself.
const ALSO: f32 = 0.25;
/// A rare class weighs more, by this power of its rarity.
const BALANCE: f32 = 0.35;

/// Trains on all examples.
pub fn train(examples: &[Example]) -> Weights {
    let model = descend(examples);
    let most = model.rows.iter().flatten().fold(0.0_f32, |most, weight| most.max(weight.abs()));
    // A few outliers would make every other weight coarse.
    let scale = (most / 127.0).clamp(1e-6, 0.02);
    let mut weights = Weights::new(model.bias, scale);
    // What is seen often lies together, where the processor's caches keep it.
    let counts = counts(examples);
    let mut rows: Vec<(u16, &[f32; COLUMNS])> = (0_u16..=u16::MAX).zip(&model.rows).collect();
    rows.sort_by_key(|(bucket, _)| std::cmp::Reverse(counts.get(usize::from(*bucket)).copied()));
    for (bucket, row) in rows {
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of the type")]
        let row = row.map(|weight| (weight / scale).round().clamp(-127.0, 127.0) as i8);
        if row.iter().any(|weight| weight.unsigned_abs() > NEGLIGIBLE) {
            weights.set(bucket, row);
        }
    }
    weights
}

/// A model while it learns.
struct Model {
    rows: Vec<[f32; COLUMNS]>,
    bias: [f32; COLUMNS],
}

fn descend(examples: &[Example]) -> Model {
    let mut model = Model::empty();
    let mut squares = vec![[0.01_f32; COLUMNS]; BUCKETS];
    let mut bias_squares = [0.01_f32; COLUMNS];
    let known = seen_twice(examples);
    let importance = importance(examples);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let mut mean = Model::empty();
    for round in 0..ROUNDS {
        shuffle(&mut order, &mut chance);
        for example in order.iter().filter_map(|index| examples.get(*index)) {
            let active: Vec<usize> = example
                .buckets
                .iter()
                .map(|bucket| usize::from(*bucket))
                .filter(|bucket| known.get(*bucket).copied().unwrap_or_default())
                .collect();
            let error = error(&model.predict(&active), &example.label, &importance);
            let learn = |row: &mut [f32; COLUMNS], squares: &mut [f32; COLUMNS], decay: f32| {
                for ((weight, square), error) in row.iter_mut().zip(squares).zip(&error) {
                    let gradient = error + decay * *weight;
                    *square += gradient * gradient;
                    *weight -= STEP * gradient / square.sqrt();
                }
            };
            for bucket in active {
                if let (Some(row), Some(squares)) = (model.rows.get_mut(bucket), squares.get_mut(bucket)) {
                    learn(row, squares, DECAY);
                }
            }
            learn(&mut model.bias, &mut bias_squares, 0.0);
        }
        if round >= SETTLED {
            mean.add(&model, 1.0 / f32::from(ROUNDS - SETTLED));
        }
    }
    mean
}

impl Model {
    fn empty() -> Model {
        Model { rows: vec![[0.0; COLUMNS]; BUCKETS], bias: [0.0; COLUMNS] }
    }

    fn add(&mut self, other: &Model, share: f32) {
        let own = self.rows.iter_mut().flatten().chain(&mut self.bias);
        own.zip(other.rows.iter().flatten().chain(&other.bias)).for_each(|(own, other)| *own += share * other);
    }

    fn predict(&self, active: &[usize]) -> [f32; COLUMNS] {
        let mut scores = self.bias;
        for row in active.iter().filter_map(|bucket| self.rows.get(*bucket)) {
            scores.iter_mut().zip(row).for_each(|(score, weight)| *score += weight);
        }
        scores
    }
}

/// How far the prediction is from the label, in each column.
fn error(scores: &[f32; COLUMNS], label: &Label, importance: &[f32]) -> [f32; COLUMNS] {
    let mut error = [0.0; COLUMNS];
    let (classes, facets) = scores.split_at(CLASSES.len());
    let most = classes.iter().copied().fold(f32::MIN, f32::max);
    let sum: f32 = classes.iter().map(|score| libm::expf(score - most)).sum();
    let weight = importance.get(label.class).copied().unwrap_or(1.0);
    #[expect(clippy::cast_precision_loss, reason = "at most four")]
    let share = ALSO / label.also.len().max(1) as f32;
    for (column, (error, score)) in error.iter_mut().zip(classes).enumerate() {
        let target = match column {
            _ if column == label.class => {
                if label.also.is_empty() {
                    1.0
                } else {
                    1.0 - ALSO
                }
            }
            _ if label.also.contains(&column) => share,
            _ => 0.0,
        };
        *error = weight * (libm::expf(score - most) / sum - target);
    }
    if let Some(holds) = label.facets {
        for ((error, score), holds) in error.iter_mut().skip(CLASSES.len()).zip(facets).zip(holds) {
            let weight = if holds { HOLDS } else { 1.0 };
            *error = weight * (1.0 / (1.0 + libm::expf(-score)) - f32::from(u8::from(holds)));
        }
    }
    error
}

/// Which features occur in two examples at least: what occurs once is learnt by heart.
fn seen_twice(examples: &[Example]) -> Vec<bool> {
    counts(examples).into_iter().map(|count| count > 1).collect()
}

/// In how many examples each feature occurs.
fn counts(examples: &[Example]) -> Vec<u32> {
    let mut counts = vec![0_u32; BUCKETS];
    for bucket in examples.iter().flat_map(|example| &example.buckets) {
        if let Some(count) = counts.get_mut(usize::from(*bucket)) {
            *count += 1;
        }
    }
    counts
}

/// How much an example of each class weighs.
fn importance(examples: &[Example]) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let share = |class: usize| {
        examples.iter().filter(|example| example.label.class == class).count().max(1) as f32 / examples.len() as f32
    };
    (0..CLASSES.len()).map(|class| libm::powf(0.2 / share(class), BALANCE)).collect()
}

/// Fisher and Yates, by a fixed sequence (xorshift64).
fn shuffle(order: &mut [usize], chance: &mut u64) {
    for end in (1..order.len()).rev() {
        *chance ^= *chance << 13;
        *chance ^= *chance >> 7;
        *chance ^= *chance << 17;
        let other = usize::try_from(*chance % (end as u64 + 1)).unwrap_or_default();
        order.swap(end, other);
    }
}
