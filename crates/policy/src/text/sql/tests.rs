use proptest::prelude::*;

use super::reads;

#[test]
fn reading_statements() {
    for text in [
        "select 1",
        "SELECT 1;",
        "  (SELECT 1) ; -- done",
        "((select 1) union (select 2))",
        "-- all customers\nSELECT * FROM customers",
        "/* a; 'b */ select 1",
        "select 1 -- it's fine",
        "select ';'",
        "select * from t where a = ';' and b = 'it''s -- no /* comment'",
        "select '#', 'ü', \"grün\", `grün`, '$$' from t",
        "with a as (select 1) select * from a",
        "with recursive a(n) as (values (1) union all select n + 1 from a where n < 5) select n from a",
        "values (1, 'a'), (2, 'b')",
        "table customers",
        "show tables",
        "SHOW CREATE TABLE a",
        "describe a",
        "DESC a;",
        "explain select 1",
        "EXPLAIN ANALYZE SELECT 1",
        "explain (analyze, buffers) with a as (select 1) select * from a",
        "explain query plan select 1",
        "select replace(a, 'x', 'y'), truncate(b, 2) from t",
        "select comment, use, load, do, open, close from t where comment = 'x' and load > 1 order by open, close desc",
        "select t.update, t.\"delete\", [drop] from t",
        "select 'drop table t'",
        "select deleted_at, created_at, updated_at, is_set from t",
        "select a::int, b->>'x', $1, ?, :name, @x from t limit 10 offset 1e3",
        "select 1.5e-3, .5, 1., 0xff, 1_000 from t",
        "select array['a', 'b'], a[1], [my col] from [dbo].[t]",
        "select top 10 * from a..b with (nolock)",
        "select * from `project-x.data.t`",
        "select * from a join b using (id) where a.x is distinct from 'y'",
        "select if(a > 1, 'x', 'y') from t",
        "select date '2026-01-01', n'x', x'ff'",
        "select file, url, query from t",
        "select count(*) from t where name in ('a.csv', 'b')",
        "select * from t, u where t.a = 'x'",
        "select regexp_replace(a, '[0-9]+', '') from t",
        "select ml.score from models ml",
    ] {
        assert_eq!(reads(text), Ok(true), "{text}");
    }
}

#[test]
fn what_writes_or_runs() {
    for text in [
        "",
        ";",
        "-- nothing",
        "()",
        "hello",
        "drop table t",
        "DELETE FROM t",
        "(delete from t)",
        "from t",
        "select 1; drop table t",
        "select 1; select 2",
        "select 1;;",
        "with a as (delete from b returning *) select * from a",
        "with a as (select 1) insert into b select * from a",
        "select * into b from a",
        "select 'x' into outfile '/var/www/x.php'",
        "select '<?php' /**/INTO/**/DUMPFILE '/x'",
        "select 1 exec xp_cmdshell 'whoami'",
        "SELECT 1 EXEC('drop table t')",
        "select 'a'exec xp_cmdshell 'x'",
        "select 1 use master",
        "select * use master",
        "select 1 if 1 = 1 select 2 else backup database a to disk = 'x'",
        "select 1 declare @x int",
        "select 1,\ngo\nxp_cmdshell 'dir'",
        "select 1 waitfor delay '1:0:0'",
        "select a from t order by a asc kill 5",
        "select * from t for update",
        "select * from t for no key update",
        "select * from t for share",
        "select * from t for key share",
        "select * from t lock in share mode",
        "explain analyze delete from t",
        "explain analyze execute p",
        "explain t",
        "select 1 settings max_threads = 1",
        "select next value for s from t",
        "select s.nextval from dual",
        "select pg_read_file('/etc/passwd')",
        "select pg_catalog . pg_read_file /* x */ ('/etc/passwd')",
        "select \"pg_read_file\"('/etc/passwd')",
        "select `load_file`('/etc/passwd')",
        "select [xp_dirtree]('c:')",
        "select LO_EXPORT(1, '/x')",
        "select query_to_xml('dro'||'p table t', true, true, '')",
        "select set_config('a', 'b', false)",
        "select * from dblink('x', 'y') as t(a int)",
        "select pg_sleep(100)",
        "select nextval('s')",
        "select load_extension('x')",
        "select * from read_csv_auto('/etc/passwd')",
        "select * from glob('*')",
        "select * from url('http://x/', 'csv')",
        "select * from s3('http://x/')",
        "select * from external_query('a', 'b')",
        "select * from ml.predict(model a, table b)",
        "select system$whitelist()",
        "select utl_http.request('http://x/') from dual",
        "select dbms_xmlgen.getxml('x') from dual",
        "select httpuritype('http://x/').getclob() from dual",
        "select * from openrowset('a', 'b', 'c')",
        "select aws_lambda.invoke('x', 'y')",
        "pragma writable_schema = 1",
        "attach 'x' as y",
        "set a = 1",
        "call p()",
        "do 1",
        "copy t to '/x'",
    ] {
        assert_eq!(reads(text), Ok(false), "{text}");
    }
}

#[test]
fn what_dialects_take_apart_differently() {
    for text in [
        "select '<?php' /*!50000INTO*/ OUTFILE '/var/www/x.php'",
        "select 1 /*M! into outfile 'x' */",
        "select /*+ set_var(a = 1) */ 1",
        "select '\\'; drop table t; -- '",
        "select 1 \\! id",
        "select 1 --drop",
        "select 1 # '\n",
        "select 1 // '\n",
        "select $$a'$$",
        "select $tag$ a $tag$",
        "select a$x$ from t",
        "select '''a'' ; drop table t; -- '''",
        "select \"\"\"a\"\"\"",
        "select 'a",
        "select \"a",
        "select `a",
        "select [a",
        "select /* a",
        "select /* /* */ 1 */",
        "select /*/ 1 */ 2 /*/ */",
        "select 1 -- a\rdrop table t",
        "select 1\u{0}",
        "select\u{a0}1",
        "select grün from t",
        "select 'a\u{2bc}; drop table t'",
        "select 1exec",
        "select 1eexec",
        "select 0xffexec",
        "select 1.exec",
        "select $1exec",
        "select 1from t",
        "select q'[a']' from dual",
        "select u&'d!0061t' uescape '!'",
        "select `a; drop table t`",
        "select `pg_read_file('x')`",
        "select ['a]', '; drop table t; --']",
        "select [' \" ' \" ] from t",
        "select [a--b] from t",
        "select * from '/etc/x.csv'",
        "select * from \"/etc/x.csv\"",
        "select * from t, 'x.csv'",
        "select * from t join 'x.csv' on true",
        "select * from @stage",
        "select transform(a) using 'sh' from t",
        "describe 'x.csv'",
    ] {
        assert!(reads(text).is_err(), "{text}: {:?}", reads(text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes before, a statement that writes is seen, or the text is doubtful.
    #[test]
    fn nothing_hides_a_second_statement(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "select 1", "'", "\"", "`", "[", "]", "(", ")", "/*", "*/", "--", "-- ", "\n", "\\", "$$", "$a$", "#", "''", "a", "1",
            "/", "*", "!", ";", ",", "q'", "e'", "ü",
        ]), 0..12),
    ) {
        for start in ["", "select "] {
            for end in ["\n; drop table t", "\n drop table t"] {
                let text = format!("{start}{}{end}", parts.concat());
                prop_assert_ne!(reads(&text), Ok(true), "{}", text);
            }
        }
    }

    #[test]
    fn any_text_is_judged(text in any::<String>()) {
        let _ = reads(&text);
        let _ = reads(&format!("select {text}"));
    }
}
