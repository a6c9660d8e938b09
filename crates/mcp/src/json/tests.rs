use super::*;

fn kind(text: &str) -> ErrorKind {
    let checked = check(text.as_bytes()).unwrap_err();
    assert_eq!(parse(text).unwrap_err(), checked, "both forms are equally strict: {text}");
    checked.kind
}

#[test]
fn what_is_strict_json() {
    let long_number = "1".repeat(MAX_DIGITS);
    let small = format!("-0.{}{long_number}", "0".repeat(399));
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    let texts: Vec<String> = [
        "null",
        " \t\r\n true ",
        "-0",
        "0.0",
        "0e400",
        "1E-400",
        "123.456e+7",
        &long_number,
        &small,
        r#""""#,
        r#""\u0000\uD83D\uDE00\/\b\f\n\r\t\"\\""#,
        "\"\u{7f}\u{feff}\u{2028}é😀\"",
        r#"{"a":1,"b":{"a":1},"A":2,"":3}"#,
        "[[],{},[1,2]]",
        &deep,
    ]
    .map(str::to_owned)
    .to_vec();
    for text in &texts {
        assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn what_is_not() {
    let expected = |expected| ErrorKind::Unexpected { expected };
    let duplicate = |key: &str| ErrorKind::DuplicateKey(key.into());
    let table = [
        ("", ErrorKind::UnexpectedEnd),
        (" ", ErrorKind::UnexpectedEnd),
        ("[1", ErrorKind::UnexpectedEnd),
        (r#""abc"#, ErrorKind::UnexpectedEnd),
        (r#""\"#, ErrorKind::UnexpectedEnd),
        ("tru", expected("true")),
        ("nul0", expected("null")),
        ("falsE", expected("false")),
        ("truely", ErrorKind::Trailing),
        ("1 2", ErrorKind::Trailing),
        ("{} x", ErrorKind::Trailing),
        ("\u{feff}1", ErrorKind::ByteOrderMark),
        ("\u{a0}1", expected("a value")),
        ("NaN", expected("a value")),
        ("+1", expected("a value")),
        (".5", expected("a value")),
        ("-", ErrorKind::UnexpectedEnd),
        ("-x", expected("a digit")),
        ("5.x", expected("a digit")),
        ("1e+", ErrorKind::UnexpectedEnd),
        ("01", ErrorKind::LeadingZero),
        ("-00", ErrorKind::LeadingZero),
        ("1e401", ErrorKind::Exponent),
        ("1e-401", ErrorKind::Exponent),
        ("0e999999999999999999999", ErrorKind::Exponent),
        ("0.5e-400", ErrorKind::Exponent),
        ("1e309", ErrorKind::NotFinite),
        ("-1e400", ErrorKind::NotFinite),
        ("10e308", ErrorKind::NotFinite),
        ("1.7976931348623159e308", ErrorKind::NotFinite),
        ("'a'", expected("a value")),
        ("{a:1}", expected("a key in double quotes")),
        (r#"{"a":1,}"#, expected("a key in double quotes")),
        (r#"{"a" 1}"#, expected("`:`")),
        (r#"{"a":1 "b":2}"#, expected("`,` or `}`")),
        ("[1,]", expected("a value")),
        ("[1;2]", expected("`,` or `]`")),
        ("[1/**/]", expected("`,` or `]`")),
        ("\"a\nb\"", ErrorKind::ControlCharacter),
        ("\"\0\"", ErrorKind::ControlCharacter),
        (r#""\x41""#, ErrorKind::Escape),
        (r#""\u12G4""#, ErrorKind::Escape),
        (r#""\u+123""#, ErrorKind::Escape),
        (r#""\U0041""#, ErrorKind::Escape),
        (r#""\ud800""#, ErrorKind::LoneSurrogate),
        (r#""\udc00\ud800""#, ErrorKind::LoneSurrogate),
        (r#""\ud800\u0041""#, ErrorKind::LoneSurrogate),
        (r#""\ud800\ud800\udc00""#, ErrorKind::LoneSurrogate),
        (r#"{"a":1,"a":1}"#, duplicate("a")),
        (r#"{"a":1,"\u0061":1}"#, duplicate("a")),
        (r#"[{"x":[{"a/b":1,"a\/b":1}]}]"#, duplicate("a/b")),
        (r#"{"":1,"":1}"#, duplicate("")),
        (
            r#"{"a long key of more than eight":1,"b":2,"a long key of more than eight":1}"#,
            duplicate("a long key of more than eight"),
        ),
    ];
    for (text, fault) in table {
        assert_eq!(kind(text), fault, "{text}");
    }
    assert_eq!(kind(&"1".repeat(MAX_DIGITS + 1)), ErrorKind::Digits);
    assert_eq!(kind(&format!("0.{}1", "10".repeat(MAX_DIGITS / 2))), ErrorKind::Digits);
    assert_eq!(kind(&format!("0.{}", "0".repeat(400))), ErrorKind::Exponent);
    assert_eq!(kind(&"[".repeat(MAX_DEPTH + 1)), ErrorKind::Depth);
    assert_eq!(kind(&"{\"a\":".repeat(100_000)), ErrorKind::Depth);
    let error = check(b"\"a\xff\"").unwrap_err();
    assert_eq!((error.offset, error.kind), (2, ErrorKind::Utf8));
}

#[test]
fn errors_say_what_and_where() {
    let table = [
        (r#"{"name":1, "name":2}"#, "duplicate key `name` at byte 11"),
        ("{\"\u{1b}\":1,\"\\u001b\":2}", "unescaped control character in a string at byte 2"),
        (r#"{"\u202e`":1,"\u202e`":2}"#, "duplicate key `\\u{202e}\\u{60}` at byte 13"),
        ("[1,", "the text ends at byte 3 before its value is complete"),
        ("[1e999]", "exponent beyond 400 at byte 1"),
    ];
    for (text, message) in table {
        assert_eq!(parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn strings_of_every_length_end_where_they_end() {
    // The scanner goes by words of eight bytes; each place of each fault must be seen.
    for length in 0..40 {
        let plain = "é".repeat(length / 2) + &"a".repeat(length % 2);
        assert_eq!(check(format!("\"{plain}\"").as_bytes()), Ok(()));
        for place in 0..length {
            for (byte, fault) in
                [(b'\n', ErrorKind::ControlCharacter), (0x1f, ErrorKind::ControlCharacter), (b'"', ErrorKind::Trailing)]
            {
                let mut bytes = format!("\"{}\"", "x".repeat(length)).into_bytes();
                bytes[place + 1] = byte;
                let error = check(&bytes).unwrap_err();
                let offset = if byte == b'"' { place + 2 } else { place + 1 };
                assert_eq!((error.offset, error.kind), (offset, fault), "{length} {place}");
            }
            for byte in [b' ', b'~', 0x7f] {
                let mut bytes = format!("\"{}\"", "x".repeat(length)).into_bytes();
                bytes[place + 1] = byte;
                assert_eq!(check(&bytes), Ok(()));
            }
        }
    }
}

#[test]
fn many_keys() {
    let object = |keys: &[String]| {
        let members: Vec<String> = keys.iter().map(|key| format!("\"{key}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    for count in [1, 15, 16, 17, 18, 31, 32, 33, 100_000] {
        let mut keys: Vec<String> = (0..count).map(|number| format!("a key {number} of many")).collect();
        let text = object(&keys);
        let value = parse(&text).unwrap();
        let read = value.as_object().unwrap();
        assert_eq!(read.len(), count);
        assert!(read.iter().map(|(key, _)| key).eq(keys.iter().map(String::as_str)), "in the order of the document");
        assert!(read.get(&keys[count / 2]).is_some() && read.get("a key").is_none());
        assert_eq!(check(text.as_bytes()), Ok(()));
        keys.push(keys[count / 2].clone());
        assert_eq!(kind(&object(&keys)), ErrorKind::DuplicateKey(keys[count / 2].as_str().into()), "{count}");
        // The siblings of an object that has closed are forgotten.
        keys.pop();
        assert_eq!(check(format!("[{0},{0}]", object(&keys)).as_bytes()), Ok(()));
    }
}

#[test]
fn decimals_compare_by_value() {
    let decimal = |text: &str| Decimal::parse(text).unwrap();
    let equal = [
        ("1", "1.0"),
        ("1", "1e0"),
        ("0", "-0.000"),
        ("0", "0e-400"),
        ("100", "1E+2"),
        ("100e-2", "1"),
        ("0.01", "10000e-6"),
        ("9007199254740993", "9007199254740993.000"),
        ("0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000000012", "12e-89"),
    ];
    for (one, other) in equal {
        assert_eq!(decimal(one), decimal(other), "{one} {other}");
        assert_eq!(decimal(one).cmp(&decimal(other)), std::cmp::Ordering::Equal);
    }
    let ascending = [
        "-1e100",
        "-100.0000001",
        "-100",
        "-99.9",
        "-1e-400",
        "0",
        "1e-400",
        "0.001",
        "0.0011",
        "0.09",
        "0.1",
        "0.99",
        "1",
        "1.1",
        "9",
        "10",
        "99.99999999999999999999",
        "100",
        "100.0000000000000000001",
        "101",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551616",
        "1e100",
    ];
    for (one, other) in ascending.iter().zip(ascending.iter().skip(1)) {
        assert!(decimal(one) < decimal(other), "{one} {other}");
        assert!(decimal(other) > decimal(one), "{one} {other}");
    }
}

#[test]
fn decimals_as_other_numbers() {
    let table = [
        ("0", Some(0), true, Some(0)),
        ("-0", Some(0), true, Some(0)),
        ("12.5", Some(12_500_000), false, None),
        ("0.000001", Some(1), false, None),
        ("0.0000001", None, false, None),
        ("1.0000000", Some(1_000_000), true, Some(1)),
        ("-1", None, true, Some(-1)),
        ("1e30", Some(10_u128.pow(36)), true, Some(10_i128.pow(30))),
        ("1e300", None, true, None),
        ("1e-300", None, false, None),
    ];
    for (text, micros, integer, whole) in table {
        let decimal = Decimal::parse(text).unwrap();
        assert_eq!((decimal.to_micros(), decimal.is_integer(), decimal.to_i128()), (micros, integer, whole), "{text}");
    }
    for (text, shown) in [
        ("-0", "0"),
        ("1e2", "100"),
        ("12.50", "12.5"),
        ("-0.010", "-0.01"),
        ("1e23", "100000000000000000000000"),
        ("1e24", "1e24"),
        ("12345678901234567890123450e10", "1.234567890123456789012345e35"),
        ("1e-400", "1e-400"),
        ("125e300", "1.25e302"),
        ("1e-30", "1e-30"),
        ("-125e-40", "-1.25e-38"),
    ] {
        assert_eq!(Decimal::parse(text).unwrap().to_string(), shown);
        assert_eq!(Decimal::parse(shown), Decimal::parse(text));
    }
    assert_eq!(Decimal::from(u64::MAX).to_string(), "18446744073709551615");
    assert_eq!(Decimal::from(i64::MIN).to_string(), "-9223372036854775808");
}

#[test]
fn what_survives_binary64() {
    let survive = [
        "0",
        "-0",
        "0.1",
        "99.99",
        "1e22",
        "1e23",
        "9007199254740992",
        "18446744073709551616",
        "0.5e-10",
        "5e-324",
        "1.7976931348623157e308",
        "123456789012345680000",
    ];
    let lost = [
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551617",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        "99.99999999999999999999",
        "100.0000000000000000001",
        "1e-400",
        "3e-324",
    ];
    for text in survive {
        assert!(Number::parse(text).unwrap().survives_binary64(), "{text}");
    }
    for text in lost {
        assert!(!Number::parse(text).unwrap().survives_binary64(), "{text}");
    }
}

#[test]
fn strings_there_and_back() {
    for text in ["", "plain", "a\"b\\c/d", "\0\u{1}\u{8}\t\n\u{c}\r\u{1f} \u{7f}", "é😀\u{2028}\u{feff}"] {
        assert_eq!(unquote(&quote(text)).as_deref(), Some(text));
        assert_eq!(serde_json::from_str::<String>(&quote(text)).unwrap(), text);
    }
    assert_eq!(quote("\u{1}\n\"\\/é"), r#""\u0001\n\"\\/é""#);
    for literal in ["", "a", "\"a", "\"a\"b", " \"a\"", "\"\\ud800\"", "1", "\"a\" "] {
        assert_eq!(unquote(literal), None, "{literal}");
    }
}

#[test]
fn keys_that_fold() {
    for (key, known) in [
        ("Name", "name"),
        (" name\u{0}", "name"),
        ("\u{feff}name", "name"),
        ("param\u{17f}", "params"),
        ("to\u{212a}en", "token"),
        ("requestid", "requestId"),
    ] {
        assert!(folds_to(key, known), "{key}");
    }
    for (key, known) in [("nam", "name"), ("names", "name"), ("n ame", "name"), ("", "name")] {
        assert!(!folds_to(key, known), "{key}");
    }
}

#[test]
fn edits_leave_the_rest() {
    let raw = r#"{ "a" : 1 , "b":{"x":[1, 2],"y":"é"},"c":3 }"#;
    let table: [(&[&[&str]], &str); 9] = [
        (&[&["a"]], r#"{ "b":{"x":[1, 2],"y":"é"},"c":3 }"#),
        (&[&["c"]], r#"{ "a" : 1 , "b":{"x":[1, 2],"y":"é"} }"#),
        (&[&["b"]], r#"{ "a" : 1,"c":3 }"#),
        (&[&["b", "x"]], r#"{ "a" : 1 , "b":{"y":"é"},"c":3 }"#),
        (&[&["b", "x"], &["b", "y"]], r#"{ "a" : 1 , "b":{},"c":3 }"#),
        (&[&["b", "y"], &["b"]], r#"{ "a" : 1,"c":3 }"#),
        (&[&["a"], &["b"]], r#"{ "c":3 }"#),
        (&[&["A"], &["C"]], r#"{ "b":{"x":[1, 2],"y":"é"} }"#),
        (&[&["a"], &["b"], &["c"]], r#"{  }"#),
    ];
    for (paths, rest) in table {
        assert_eq!(remove(raw, paths).unwrap().as_deref(), Some(rest), "{paths:?}");
    }
    assert_eq!(remove(raw, &[&["x"], &["b", "z"], &["a", "b"]]).unwrap(), None);
    assert_eq!(locate(raw, &["b", "y"]).unwrap().map(|span| span.of(raw)), Some("\"é\""));
    assert_eq!(locate(raw, &["b", "y", "z"]).unwrap(), None);
    assert_eq!(splice("abcdef", &[(4..5, "E"), (0..0, "<"), (1..2, ""), (6..6, ">")]).as_deref(), Some("<acdEf>"));
    for bad in [[(0..3, ""), (2..4, "")], [(0..1, ""), (7..8, "")]] {
        assert_eq!(splice("abcdef", &bad), None);
    }
    assert_eq!(splice("é", &[(1..2, "")]), None);
}

#[test]
fn keys_that_every_reader_sees_alike() {
    for (text, plain) in [
        ("{}", true),
        ("\"A\"", true),
        (r#"[1,"A",{"a":"B","c_d-9":["É"]}]"#, true),
        (r#"{"a":"\"B\":1,","c":"\\"}"#, true),
        ("{\"\":1,\"a\" \t\r\n :2}", true),
        (r#"{"A":1}"#, false),
        (r#"{"a":"\\","B":1}"#, false),
        (r#"{"a":[[{"b":{"leadId":1}}]]}"#, false),
        ("{\"A\" \t\r\n :2}", false),
        (r#"{"a b":1}"#, false),
        (r#"{"\u0061":1}"#, false),
        (r#"{"\"":1}"#, false),
        ("{\"\u{7f}\":1}", false),
        ("{\"é\":1}", false),
    ] {
        assert!(parse(text).is_ok(), "{text}");
        assert_eq!(plain_keys(text), plain, "{text}");
    }
    // Of other texts it says nothing, but comes to an end.
    for text in ["\"", "\"\\", "{\"a", "{\"a\\\"", ":", "{\"a\"", "\"\\\u{e9}"] {
        let _ = plain_keys(text);
    }
}
