// Services as scripts use them: the examples S1, S2 and S6 of the specification, and what goes wrong.
#include "vsl-filter/services/service.h"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "lib/base/io.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/lang/engine.h"

using namespace rules;

namespace {

constexpr auto kPrefixes = std::to_array<std::string_view>({"db"});
constexpr auto kDeclarations = std::to_array<vsl::DeclarationKeyword>({{"service", "", "make_service", {}, kPrefixes, "service"}});
constexpr vsl::Dialect kWords{{}, kDeclarations};

struct NoImports : vsl::Loader {
  base::Result<vsl::LoadedText> load(std::string_view, std::string_view) override { return base::fail(base::Fault::Config, "no imports"); }
};

// Scripts that lie in a folder of their own, with a session that has a message.
struct Scripts {
  std::string folder = "/tmp/service_test.XXXXXX";
  vsl::Natives natives;
  Site site;
  Session session;
  Scene scene{site, &session, Stage::Preq};

  Scripts() {
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    vsl::add_standard_functions(natives);
    natives.add(service_rows());
    session.mail("ann@client.example", "id1", base::wall_now());
    session.rcpt("bob@own.example", base::wall_now());
    REQUIRE(session.message(base::Blob::of_octets("Subject: hello\r\n\r\ntext\r\n")));
  }
  ~Scripts() { std::filesystem::remove_all(folder); }

  void write(const std::string& name, std::string_view text) const { std::ofstream(folder + "/" + name) << text; }
  [[nodiscard]] std::string read(const std::string& name) const { return base::read_file(folder + "/" + name, 1 << 20).value(); }

  // What `fn test()` of the script returns, in debug form; or what is wrong.
  std::string evaluate(const std::string& declarations, const std::string& body) {
    NoImports loader;
    Scene loading{site, nullptr, Stage::Connect};
    vsl::LoadOptions options;
    options.host = &loading;
    const auto loaded = vsl::load({folder + "/main.vsl", declarations + "\n|| {" + body + "}"}, loader, natives, kWords, options);
    if (!loaded.program) return "load: " + (loaded.diagnostics.all().empty() ? "?" : loaded.diagnostics.all()[0].message);
    vsl::Run run(*loaded.program, {}, &scene);
    const auto result = run.call(loaded.program->value());
    return result ? vsl::debug_of(*result) : "error: " + result.error().message();
  }
};

const std::string kShell = R"(service e cmd = #{ command: "sh", args: ["-c", "exit 3"], timeout: "200ms" };)";

}  // namespace

TEST_CASE("service cmd: S1, results") {
  Scripts scripts;
  CHECK(scripts.evaluate(kShell, "let r = e.run(); r.has_code && r.code == 3 && !r.has_signal && r.signal == ()") == "true");
  CHECK(scripts.evaluate(kShell, R"(let r = e.run(["-c", "sleep 9"]); [r.has_code, r.code, r.has_signal, r.signal])") == "[false, (), true, 9]");
  CHECK(scripts.evaluate(kShell, R"(let r = e.run(["-c", "echo out; echo err >&2"]); [r.stdout, r.stderr])") == R"(["out\n", "err\n"])");
  CHECK(scripts.evaluate(kShell, R"(e.run(["-c", "cat"], "a text").stdout)") == R"("a text")");
  CHECK(scripts.evaluate(kShell, R"(e.cmd_run(["-c", "printf 'a\\377\\0b'"]).stdout)") == "\"a\uFFFD\\x00b\"");
  CHECK(scripts.evaluate(R"(const p = cmd::build(#{ command: "echo", args: ["hi"] });)", "p.run().stdout") == R"("hi\n")");
}

TEST_CASE("service cmd: the message on standard input") {
  Scripts scripts;
  const std::string declaration = R"(service e cmd = #{ command: "cat", input: "message" };)";
  CHECK(scripts.evaluate(declaration, "e.run().stdout") == R"("Subject: hello\r\n\r\ntext\r\n")");
  scripts.scene.stage = Stage::Rcpt;
  CHECK(scripts.evaluate(declaration, "e.run()").find("is not defined yet, it only is available from the `preq` stage") != std::string::npos);
}

TEST_CASE("service cmd: errors") {
  Scripts scripts;
  CHECK(scripts.evaluate(kShell, "let told; try { e.run([1]); } catch (x) { told = x; } told") == R"("service 'e': all cmd arguments must be strings")");
  CHECK(scripts.evaluate(R"(service e cmd = #{ command: "/none" };)", "let told; try { e.run(); } catch (x) { told = x; } told") ==
        R"("service 'e': cmd process failed to spawn: exec /none: No such file or directory")");
  CHECK(scripts.evaluate(R"(service e cmd = #{ command: "true", user: "nobody here" };)", "let told; try { e.run(); } catch (x) { told = x; } told") ==
        R"("service 'e': user not found: 'nobody here'")");
  CHECK(scripts.evaluate(kShell, R"(let told; try { e.get("x"); } catch (x) { told = x; } told)") == R"("service 'e': 'db_query' can only be used on a database service.")");
}

TEST_CASE("service: wrong declarations fail when they are loaded") {
  Scripts scripts;
  struct Row {
    const char* declaration;
    const char* expected;
  };
  for (const Row& row : {
           Row{"service x cmd = #{};", "load: cmd service x is missing the 'command' option."},
           {R"(service x cmd = #{ command: "a", timeuot: "1s" };)", "load: cmd service x has no option 'timeuot': did you mean `timeout`?"},
           {R"(service x cmd = #{ command: "a", zzz: 1 };)",
            "load: cmd service x has no option 'zzz': it knows command, args, timeout, user, group, input, output_max"},
           {R"(service x cmd = #{ command: "a", timeout: 5 };)",
            R"(load: the option 'timeout' of cmd service x must be a duration, such as "15s" or "1h 30m", not 5)"},
           {R"(service x cmd = #{ command: "a", args: ["b", 1] };)", R"(load: the option 'args' of cmd service x must be an array of strings, not ["b", 1])"},
           {"service x cmd = 5;", "load: the options of cmd service x must be a map #{ ... }, not 5"},
           {"service x cmdd = #{};", "load: Improper service type 'cmdd'. did you mean `cmd`?"},
           {"service x db:oracle = #{};", "load: Improper service type 'db:oracle'. There are: cmd, smtp, db:csv, db:sqlite"},
           {"service x db:csv = #{};", "load: database x is missing the 'connector' option."},
           {R"(service x db:csv = #{ connector: "none", access: "rw" };)", "load: rw is not a correct database access mode"},
           {R"(service x db:csv = #{ connector: "none", refresh: "yes" };)", "load: yes is not a correct database refresh rate"},
           {R"(service x db:csv = #{ connector: "none", delimiter: '"' };)", "load: the delimiter of a csv database must be a single char"},
       }) {
    CAPTURE(row.declaration);
    CHECK(scripts.evaluate(row.declaration, "1") == row.expected);
  }
  CHECK(scripts.evaluate(R"(service x db:csv = #{ connector: "none.csv" };)", "1") ==
        "load: could not load database at " + scripts.folder + "/none.csv: open " + scripts.folder + "/none.csv: No such file or directory");
}

TEST_CASE("service db:csv: S2") {
  Scripts scripts;
  scripts.write("db.csv", "a@x.example,1\nab@x.example,2\n");
  const std::string declaration = R"(service db db:csv = #{ connector: "db.csv", access: "O_RDWR", refresh: "always", delimiter: ',' };)";
  CHECK(scripts.evaluate(declaration, R"(db.get("ab@x.example") == ["ab@x.example", "2"] && db.get("zz") == [])") == "true");
  CHECK(scripts.evaluate(declaration, R"(db.rm("a@x.example"))") == "()");
  CHECK(scripts.read("db.csv") == "ab@x.example,2\n");
  CHECK(scripts.evaluate(declaration, R"(db.set(["ann@client.example", 3]))") == "()");
  CHECK(scripts.read("db.csv") == "ab@x.example,2\nann@client.example,3\n");
  CHECK(scripts.evaluate(R"(const db = csv::connect(#{ path: "db.csv", access: "O_RDONLY" });)", "let told; try { db.rm(1); } catch (x) { told = x; } told") ==
        R"("service 'csv': records can only be removed with O_RDWR")");
  CHECK(scripts.evaluate(declaration, "let told; try { db.run(); } catch (x) { told = x; } told") == R"("db cannot be run as a cmd script.")");
}

TEST_CASE("service db:sqlite: queries with values of all types") {
  Scripts scripts;
  const std::string declaration = R"~(service db db:sqlite = #{ path: "db.sqlite", timeout: "5s" };)~";
  CHECK(scripts.evaluate(declaration, R"~(
      db.query("CREATE TABLE t(a, b, c, d)");
      db.query("INSERT INTO t VALUES(?, ?, ?, ?)", [1, 2.5, "it's", ()]);
      db.query("SELECT * FROM t WHERE a = ?", [1]))~") == R"~([#{"a": 1, "b": 2.5, "c": "it's", "d": ()}])~");
  CHECK(scripts.evaluate(declaration, R"~(let told; try { db.query("SELECT * FROM u"); } catch (x) { told = x; } told)~") == R"~("service 'db': no such table: u")~");
  CHECK(scripts.evaluate(R"~(const db = sqlite::connect(#{ path: "db.sqlite", sql_literals: true });)~", R"~(db.query("SELECT * FROM t"))~") ==
        R"~([#{"a": "1", "b": "2.5", "c": "'it''s'", "d": "NULL"}])~");
  CHECK(scripts.evaluate(R"~(service db db:sqlite = #{ path: "db.sqlite", read_only: true };)~", R"~(let told; try { db.query("DELETE FROM t"); } catch (x) { told = x; } told)~") ==
        R"~("service 'db': attempt to write a readonly database")~");
}

TEST_CASE("service: greylisting with a csv service, S6") {
  Scripts scripts;
  scripts.write("greylist.csv", "");
  const std::string declaration = R"(service greylist db:csv = #{ connector: "greylist.csv", access: "O_RDWR", refresh: "always", delimiter: ',' };)";
  const std::string rule = R"(let sender = "ann@client.example"; if greylist.get(sender) == [] { greylist.set([sender]); "451" } else { "250" })";
  CHECK(scripts.evaluate(declaration, rule) == "\"451\"");
  CHECK(scripts.evaluate(declaration, rule) == "\"250\"");
}

TEST_CASE("process::run: a program without a service") {
  Scripts scripts;
  CHECK(scripts.evaluate("", R"(let r = process::run(#{args: ["sh", "-c", "cat; echo no >&2; exit 3", "x"], input: "in"}); [r.status, r.code, r.stdout, r.stderr, r.has_signal])") ==
        R"([3, 3, "in", "no\n", false])");
  CHECK(scripts.evaluate("", R"(let r = process::run(#{args: ["sleep", "60"], timeout: "100ms"}); [r.status, r.code, r.signal])") == "[137, (), 9]");
  CHECK(scripts.evaluate("", R"(process::run(#{args: ["printf", "%s", "$HOME;`id`"]}).stdout)") == R"("$HOME;`id`")");
  CHECK(scripts.evaluate("", R"(process::run(#{args: ["no-such-program-anywhere"]}))").starts_with("error: cmd process failed to spawn: "));
  CHECK(scripts.evaluate("", "process::run(#{args: []})") == "error: process::run: 'args' must begin with a program");
  CHECK(scripts.evaluate("", "process::run(#{})").find("args") != std::string::npos);
  CHECK(scripts.evaluate("", R"(process::run(#{args: ["true"], shell: true}))").find("shell") != std::string::npos);
}
