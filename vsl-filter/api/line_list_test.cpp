// Lists from files answer as groups of the same objects do, whatever is asked of them.
#include "vsl-filter/api/line_list.h"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <vector>

#include "vsl-filter/stages/testing.h"

using namespace rules;
using testing::ask;
using testing::session;

namespace {

class ListFile {
 public:
  explicit ListFile(std::string_view content) : path_("/tmp/vsmtp-line-list-" + std::to_string(::getpid())) { std::ofstream(path_) << content; }
  ~ListFile() { std::remove(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string declarations(const std::string& type, const std::vector<std::string>& lines, const std::string& path) {
  std::string text = "object in_file file:" + type + " = \"" + path + "\";\nobject in_group group = [";
  for (const auto& line : lines) text += "(object x " + type + " = \"" + line + "\"), ";
  return text + "];\n";
}

// Its value as a text, or why there is none.
std::string tried(const std::string& expression) { return "(|| { try { return `${" + expression + "}`; } catch (e) { return `failed: ${e}`; } }).call()"; }

}  // namespace

TEST_CASE("lists from files: the same answers as of a group") {
  struct Row {
    const char* type;
    std::vector<std::string> lines;
  };
  const Row kRows[] = {
      {"fqdn", {"one.example", "TWO.Example", "three.example.", "m\xC3\xBCller.example", "x-1.y.z.example", "a.b", "c.d", "e.f", "one.example", "\xC3\xBC.\xC3\xBC.example"}},
      {"address", {"a@one.example", "B@Two.Example", "c@three.example", "d@[192.0.2.1]", "\\\"e f\\\"@x.example", "g@h.i", "j@k.l", "m@n.o", "p@m\xC3\xBCller.example"}},
      {"identifier", {"one.example", "a", "B", "c", "192.0.2.1", "d", "e", "f", "two.example"}},
      {"string", {"one.example", "TWO.Example", "a@one.example", "192.0.2.1", "2001:DB8::1", "a", "b", "c", "d"}},
      {"ip4", {"192.0.2.1", "192.0.2.2", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"}},
      {"ip6", {"2001:db8::1", "2001:0DB8:0::2", "::1", "::2", "::3", "::4", "::5", "::6"}},
      {"rg4", {"192.0.2.0/24", "10.0.0.0/8"}},
      {"regex", {"^one", "two"}},
  };
  const char* const kSought[] = {
      "one.example", "two.example", "Two.example.", "three.example", "four.example", "m\xC3\xBCller.example", "xn--mller-kva.example", "a@one.example", "b@two.example",
      "B@two.example", "x@three.example", "192.0.2.1", "192.0.2.7", "2001:db8:0::1", "2001:db8::2", "a", "A", "", "10.0.0.1-10.0.0.9",
  };
  const char* const kMade[] = {"identifier", "fqdn", "address", "ip4", "ip6", "regex"};
  for (const auto& [type, lines] : kRows) {
    std::string content = "# a list\r\n\r\n";
    for (auto line : lines) {
      for (auto at = line.find("\\\""); at != std::string::npos; at = line.find("\\\"", at + 1)) line.erase(at, 1);
      content += " " + line + "\t\r\n";
    }
    const ListFile file(content);
    const auto before = declarations(type, lines, file.path());
    CAPTURE(type);
    Session now = session(Stage::Connect);
    std::map<std::string, int> seen;
    const auto same = [&](const std::string& made) {
      const auto of = [&](const char* list) { return ask(Stage::Connect, before, tried(made + " in global::" + list), now); };
      CAPTURE(made);
      const auto answer = of("in_file");
      CHECK(answer == of("in_group"));
      CHECK(answer.find("ERROR") == std::string::npos);
      ++seen[answer];
    };
    for (const std::string sought : kSought) {
      same("\"" + sought + "\"");
      for (const char* const kind : kMade) same("(|| { try { return " + std::string(kind) + "(\"" + sought + "\"); } catch (e) { return (); } }).call()");
    }
    CHECK(seen["true"] > 0);
    CHECK(seen["false"] > 10);
    for (const std::string other : {"(object r rg4 = \"192.0.2.1/32\")", "[\"one.example\"]", "1", "()"}) same(other);
    for (const std::string expression :
         {"L.len", "L.is_empty", "L.to_array().len", "L.to_string()", "L == L", "L == in_group", "L[0] == in_group[0]", "`${L[-1]}`", "L[2000]", "L.map(|x| x.to_string())",
          "L.filter(|x| x.to_string().contains(\"o\")).len", "L.some(|x| x.to_string() == \"a\")", "L.index_of(L[1])", "(|| { let n = 0; for x in L { n += x.to_string().len; } return n; }).call()",
          "L.domains", "L.local_parts", "L.join(\",\")"}) {
      const auto of = [&](const std::string& list) {
        std::string text = expression;
        for (auto at = text.find('L'); at != std::string::npos; at = text.find('L', at)) text.replace(at, 1, "global::" + list);
        for (auto at = text.find(" in_group"); at != std::string::npos; at = text.find(" in_group", at + 10)) text.replace(at, 1, " global::");
        return ask(Stage::Connect, before, tried(text), now);
      };
      CAPTURE(expression);
      const auto answer = of("in_file");
      CHECK(answer == of("in_group"));
      CHECK_FALSE(answer.empty());
      CHECK(answer.find("ERROR") == std::string::npos);
    }
  }
}

TEST_CASE("lists from files: a bad line is named, at the limits of a name and beyond") {
  const std::string label(63, 'a'), longest = label + "." + label + "." + label + "." + std::string(63, 'b');
  struct Row {
    std::string line;
    bool is_good;
  };
  const Row kRows[] = {
      {label + ".example", true}, {label + "a.example", false}, {longest, true},          {longest + "b", false},      {longest + ".c", false}, {"-a.example", false},
      {"a-.example", false},      {"a..example", false},        {".example", false},      {"example.", true},          {"example..", false},       {"a_b.example", false},
      {"a b.example", false},     {"1.2.3.4", true},            {"\xC3\xBC.example", true}, {"\xC3.example", false},
  };
  for (const auto& [line, is_good] : kRows) {
    const ListFile file("good.example\n\n" + line + "\n");
    Session now = session(Stage::Connect);
    const auto answer = ask(Stage::Connect, "object l file:fqdn = \"" + file.path() + "\";", "global::l.len == 2", now);
    CAPTURE(line);
    CAPTURE(answer);
    if (is_good)
      CHECK(answer == "true");
    else
      CHECK(answer.find(file.path() + ":3:1: '") != std::string::npos);
    // As one object is judged.
    const auto alone = ask(Stage::Connect, "", "(|| { try { fqdn(\"" + line + "\"); return true; } catch (e) { return false; } }).call()", now);
    CHECK((alone == "true") == is_good);
  }
}
