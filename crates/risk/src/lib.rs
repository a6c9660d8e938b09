//! What a tool can do, told from its definition alone: the class, how severe that is, what else is
//! dangerous about it (facets), how sure that is, and the words that decided it.
//!
//! The judgement is made by a linear model over the words of the definition and over what a
//! lexicon of eleven languages says that they mean. Both are compiled in: nothing is fetched,
//! nothing is random, the same definition always gives the same answer. `docs/classifier.md` says
//! how it was trained and how well it does.
//!
//! ```
//! use policy::Class;
//! use risk::{Definition, assess};
//!
//! let tool = Definition { name: "excluir_pedido", description: "Exclui um pedido", ..Definition::default() };
//! let found = assess(&tool);
//! assert_eq!(found.class, Class::Destructive);
//! assert_eq!(found.evidence.first().map(|evidence| evidence.text.as_str()), Some("excluir"));
//! ```

mod assess;
mod buffers;
mod concept;
mod definition;
mod evidence;
mod facet;
mod features;
pub mod findings;
mod fold;
mod lexicon;
mod model;
pub mod patterns;
pub mod pins;
pub mod prose;
pub mod recommend;
mod rules;
pub mod sarif;
mod schema;
mod severity;
mod tokens;

pub use assess::{Assessment, assess, assess_by};
pub use definition::{Annotations, Definition};
pub use evidence::{Evidence, Place};
pub use facet::Facet;
pub use features::{BUCKETS, buckets};
pub use model::{CLASSES, ParseWeightsError, Weights};
pub use severity::Severity;
