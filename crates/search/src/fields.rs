//! The fields of the index, and the tokenizer that cuts their texts.

use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::words::terms;

/// The name of the tokenizer.
pub(crate) const TOKENIZER: &str = "words";

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A server.
    Server,
    /// A tool.
    Tool,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Tool => "tool",
        }
    }
}

/// The fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// The number of the row, doubled; tools are odd.
    pub(crate) id: Field,
    /// The name in its one spelling.
    pub(crate) exact: Field,
    /// The parts of the name in alphabetical order.
    pub(crate) unordered: Field,
    /// The words of the name and title.
    pub(crate) name: Field,
    /// The words of the server, its publisher and package.
    pub(crate) around: Field,
    /// The words of the description.
    pub(crate) text: Field,
    /// `field:value` of everything that filters.
    pub(crate) filter: Field,
    /// When it changed, in microseconds since 1970.
    pub(crate) changed: Field,
}

/// The layout of the index.
pub(crate) fn schema() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let words = |record| {
        let indexing = TextFieldIndexing::default().set_tokenizer(TOKENIZER).set_index_option(record);
        TextOptions::default().set_indexing_options(indexing)
    };
    let fields = Fields {
        id: schema.add_u64_field("id", FAST),
        exact: schema.add_text_field("exact", STRING),
        unordered: schema.add_text_field("unordered", STRING),
        name: schema.add_text_field("name", words(IndexRecordOption::WithFreqs)),
        around: schema.add_text_field("around", words(IndexRecordOption::WithFreqs)),
        text: schema.add_text_field("text", words(IndexRecordOption::WithFreqs)),
        filter: schema.add_text_field("filter", STRING),
        changed: schema.add_i64_field("changed", FAST | INDEXED),
    };
    (schema.build(), fields)
}

/// Cuts texts as [`terms`] does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words;

/// The words of one text.
pub(crate) struct Stream {
    words: std::vec::IntoIter<String>,
    token: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = Stream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream {
        Stream { words: terms(text).into_iter(), token: Token::default() }
    }
}

impl TokenStream for Stream {
    fn advance(&mut self) -> bool {
        match self.words.next() {
            Some(word) => {
                self.token.position = self.token.position.wrapping_add(1);
                self.token.text = word;
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
