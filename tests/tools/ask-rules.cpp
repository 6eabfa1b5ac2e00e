// ask-rules [SECTION.KEY=VALUE...] EXPRESSION: what a rule of stage rcpt gets for it, in a session as in section 6 of vsl.md.
// `caught(|| ...)` in the expression is the text of the error.
#include <cstdio>
#include <string>
#include <vector>

#include "lib/base/text.h"
#include "vsl-filter/stages/testing.h"

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  std::vector<std::pair<std::string, std::string>> settings;
  for (int i = 1; i < argc - 1; ++i) {
    const auto [name, value] = base::text::split_once(argv[i], '=');
    if (base::find_setting(name) == nullptr) return 64;
    settings.emplace_back(name, value);
  }
  auto session = rules::testing::session(rules::Stage::Rcpt);
  const std::string caught = "fn caught(f) { let told = \"nothing\"; try { told = `${f.call()}`; } catch (e) { told = e; } told }";
  std::puts(rules::testing::ask(rules::Stage::Rcpt, caught, argv[argc - 1], session, rules::testing::site(nullptr, settings)).c_str());
  return 0;
}
