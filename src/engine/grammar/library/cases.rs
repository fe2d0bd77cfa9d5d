//! The examples of the shipped grammars, in the binary.

/// Files under `grammars/` with their texts.
macro_rules! files {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/", $file)) as &[u8])),+]
    };
}

/// Those of the grammar of this name; none if there is no such grammar.
pub(super) fn of(name: &str) -> &'static [(&'static str, &'static [u8])] {
    match name {
        "python" => files![
            "python.accept/average.py",
            "python.accept/classify.py",
            "python.accept/shape.py",
            "python.reject/deeper_again@5-9.py",
            "python.reject/double_operator@2-16.py",
            "python.reject/indent@3-5.py",
            "python.reject/keyword_name@1-11.py",
            "python.reject/missing_colon@1-9.py",
            "python.reject/tab@2-1.py",
            "python.reject/unclosed@end.py",
        ],
        "typescript" => files![
            "typescript.accept/arrow.ts",
            "typescript.accept/group.ts",
            "typescript.accept/largest.ts",
            "typescript.reject/keyword@1-13.ts",
            "typescript.reject/missing_type@1-15.ts",
            "typescript.reject/single_equals@2-15.ts",
            "typescript.reject/unclosed@2-12.ts",
        ],
        "rust" => files![
            "rust.accept/parse.rs",
            "rust.accept/sum_even.rs",
            "rust.reject/arrow@1-14.rs",
            "rust.reject/digit_name@1-4.rs",
            "rust.reject/keyword@1-9.rs",
            "rust.reject/unclosed@3-1.rs",
        ],
        "go" => files![
            "go.accept/count.go",
            "go.accept/reverse.go",
            "go.reject/keyword@1-11.go",
            "go.reject/semicolon@2-10.go",
            "go.reject/spaces@2-1.go",
            "go.reject/unclosed@end.go",
        ],
        "zig" => files![
            "zig.accept/divisible.zig",
            "zig.accept/sum.zig",
            "zig.reject/digit_name@1-8.zig",
            "zig.reject/keyword@1-11.zig",
            "zig.reject/semicolon@2-13.zig",
            "zig.reject/untyped@1-11.zig",
        ],
        "sql" => files![
            "sql.accept/count.sql",
            "sql.accept/insert.sql",
            "sql.accept/join.sql",
            "sql.accept/table.sql",
            "sql.reject/keyword_name@1-23.sql",
            "sql.reject/lower_case@1-1.sql",
            "sql.reject/no_semicolon@end.sql",
            "sql.reject/two_statements@1-10.sql",
        ],
        "json" => files![
            "json.accept/indented.json",
            "json.accept/scalar.json",
            "json.accept/user.json",
            "json.reject/cut@end.json",
            "json.reject/leading_zero@1-8.json",
            "json.reject/single_quotes@1-2.json",
            "json.reject/spaces@1-7.json",
            "json.reject/trailing_comma@1-9.json",
        ],
        "user" => files![
            "user.accept/alice.json",
            "user.accept/nobody.json",
            "user.reject/age@1-28.json",
            "user.reject/order@1-3.json",
        ],
        "arithmetic" => files![
            "arithmetic.accept/number.txt",
            "arithmetic.accept/sum.txt",
            "arithmetic.reject/leading_zero@1-6.txt",
            "arithmetic.reject/operators@1-5.txt",
            "arithmetic.reject/unclosed@end.txt",
        ],
        "csv" => files![
            "csv.accept/people.csv",
            "csv.reject/header@1-10.csv",
            "csv.reject/one_row@end.csv",
            "csv.reject/two_columns@2-7.csv",
        ],
        "chess" => files![
            "chess.accept/castle.txt",
            "chess.accept/fool.txt",
            "chess.reject/cut@end.txt",
            "chess.reject/number@1-1.txt",
            "chess.reject/square@1-8.txt",
        ],
        "date" => files![
            "date.accept/leap.txt",
            "date.accept/today.txt",
            "date.reject/february@1-9.txt",
            "date.reject/month@1-7.txt",
            "date.reject/slashes@1-5.txt",
        ],
        "person" => files![
            "person.accept/ada.json",
            "person.accept/short.json",
            "person.reject/email@1-45.json",
            "person.reject/extra@1-38.json",
            "person.reject/old@1-26.json",
        ],
        _ => &[],
    }
}
