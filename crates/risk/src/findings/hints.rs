//! Hints that say something else than the words.

use super::rule::{Kind, Level, Rule};
use crate::concept::{Concept, Concepts};
use crate::definition::Definition;
use crate::evidence::Place;
use crate::tokens::{Humps, Splitter, Token};

/// The server claims that a tool changes nothing, and its words say that it does.
pub(crate) static HINT_CONTRADICTS_TEXT: Rule = Rule::of_form(
    "hint-contradicts-text",
    Level::Warning,
    Kind::Contradiction,
    "The annotations say that the tool only reads; its name and description say that it changes something.",
);

/// What no tool does that only reads.
const CHANGES: [Concept; 3] = [Concept::Delete, Concept::Pay, Concept::Cancel];
/// The description's first words must say it too.
const WORDS: usize = 10;

/// The hint and the words that contradict it.
pub(crate) fn contradiction(definition: &Definition<'_>) -> Option<(Place, String)> {
    if definition.annotations.read_only != Some(true) {
        return None;
    }
    let (named, start, end) = first_action(definition.name)?;
    let mut said = Vec::new();
    Splitter::new().split(definition.description, Humps::Keep, WORDS, &mut said);
    let opening = said.iter().find(|token| acts(token))?;
    let changes = CHANGES.iter().any(|one| named.has(*one) && opening.means.has(*one));
    let harmless = [Concept::Read, Concept::Compute].iter().any(|one| named.has(*one) || opening.means.has(*one));
    if !changes || harmless || said.iter().any(|token| token.means.has(Concept::Not)) {
        return None;
    }
    let words = definition.name.get(start..end)?;
    Some((Place::Annotation("readOnlyHint"), format!("readOnlyHint: true, {words}")))
}

fn acts(token: &Token) -> bool {
    !token.means.actions().is_empty()
}

/// What the first word of a name means that is an action, and where it stands.
fn first_action(name: &str) -> Option<(Concepts, usize, usize)> {
    let mut tokens: Vec<Token> = Vec::new();
    Splitter::new().split(name, Humps::Split, 8, &mut tokens);
    // Names say what is done first; languages whose verb comes last are told by their letters.
    let first = if name.is_ascii() { tokens.first()? } else { tokens.iter().find(|token| acts(token))? };
    Some((first.means, usize::try_from(first.start).ok()?, usize::try_from(first.end).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Annotations;

    fn contradicts(name: &str, description: &str, read_only: bool) -> bool {
        let annotations = Annotations { read_only: Some(read_only), ..Annotations::default() };
        contradiction(&Definition { name, description, annotations, ..Definition::default() }).is_some()
    }

    #[test]
    fn a_hint_against_the_words() {
        assert!(contradicts("delete_file", "Deletes a file for good.", true));
        assert!(contradicts("excluir_pedido", "Exclui um pedido.", true));
        assert!(contradicts("eliminar_usuario", "Elimina un usuario.", true));
        assert!(contradicts("supprimer_fichier", "Supprime un fichier.", true));
        assert!(
            contradicts("datei_loeschen", "Löscht eine Datei.", true)
                || contradicts("datei_löschen", "Löscht eine Datei.", true)
        );
        assert!(contradicts("удалить_файл", "Удаляет файл.", true));
        assert!(contradicts("删除文件", "删除一个文件", true));
        assert!(contradicts("ファイル削除", "ファイルを削除します", true));
        assert!(contradicts("파일_삭제", "파일을 삭제합니다", true));
        assert!(!contradicts("delete_file", "Deletes a file for good.", false));
        assert!(!contradicts("list_deleted_files", "Lists the deleted files.", true));
        assert!(!contradicts("get_payment", "Reads a payment.", true));
    }
}
