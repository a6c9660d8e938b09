//! What copies have stands with what their original has: the same tool under several publishers is one thing that
//! was found, and so many copies of it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use store::BadDatabase;
use store::catalogue::Catalogue;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting<T> {
    /// The server.
    pub server: i64,
    /// The name of the tool; none for the server itself.
    pub tool: Option<String>,
    /// What is shown of it.
    pub shown: T,
}

/// What is shown for itself and its copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded<T> {
    /// What is shown: the original, where it was found, and else what was found first.
    pub shown: T,
    /// How many others were found.
    pub copies: usize,
}

/// Folds what was found, in its order. What nobody found is not counted.
///
/// # Errors
/// [`BadDatabase`].
pub async fn folded<T>(catalogue: &Catalogue, found: Vec<Sighting<T>>) -> Result<Vec<Folded<T>>, BadDatabase> {
    let servers: Vec<i64> = found.iter().map(|one| one.server).collect();
    Ok(fold(found, &catalogue.originals(&servers).await?))
}

/// The same without folding: each stands for itself.
pub fn apart<T>(found: Vec<Sighting<T>>) -> Vec<Folded<T>> {
    found.into_iter().map(|one| Folded { shown: one.shown, copies: 0 }).collect()
}

fn fold<T>(found: Vec<Sighting<T>>, originals: &HashMap<i64, i64>) -> Vec<Folded<T>> {
    let mut all: Vec<Folded<T>> = Vec::with_capacity(found.len());
    let mut places: HashMap<(i64, Option<String>), usize> = HashMap::new();
    for Sighting { server, tool, shown } in found {
        let original = originals.get(&server).copied().unwrap_or(server);
        match places.entry((original, tool)) {
            Entry::Occupied(place) => {
                if let Some(first) = all.get_mut(*place.get()) {
                    first.copies += 1;
                    if server == original {
                        first.shown = shown;
                    }
                }
            }
            Entry::Vacant(place) => {
                place.insert(all.len());
                all.push(Folded { shown, copies: 0 });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_stand_with_their_original() {
        let one = |server: i64, tool: Option<&str>| Sighting {
            server,
            tool: tool.map(str::to_owned),
            shown: format!("{server}{}", tool.unwrap_or_default()),
        };
        let found = vec![
            one(3, Some("send")),
            one(7, Some("send")),
            one(1, Some("send")),
            one(3, Some("list")),
            one(3, None),
            one(2, Some("send")),
            one(1, None),
        ];
        let originals = HashMap::from([(2, 1), (3, 1)]);
        let told: Vec<(String, usize)> =
            fold(found.clone(), &originals).into_iter().map(|one| (one.shown, one.copies)).collect();
        let expected = [("1send", 2), ("7send", 0), ("3list", 0), ("1", 1)];
        assert_eq!(told, expected.map(|(shown, copies)| (shown.to_owned(), copies)));
        assert!(apart(found).iter().all(|one| one.copies == 0));
    }
}
