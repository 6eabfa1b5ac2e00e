#include "vsl-filter/modes/test_file.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/lang/folder_loader.h"
#include "vsl-filter/stages/rule_set.h"
#include "vsl-filter/services/duration.h"

namespace rules {
namespace {

using vsl::Value;

constexpr auto kTestDirectives = std::to_array<vsl::DirectiveKeyword>({{"test", "test", "", false}});

// Reads the keys of a test into a step. A key that is none, or of a wrong type, is an error that names it.
class StepReader {
 public:
  explicit StepReader(TestStep& step) : step_(step) {}

  // What is wrong; "" if nothing.
  std::string read(std::string_view key, const Value& value) {
    key_ = key;
    // "helo" is what the client says; what the stage comes to is "on_helo".
    const auto row = std::ranges::find(kKeys, key, &Key::name);
    if (const auto stage = stage_of(key); stage && row == kKeys.end()) return read_status(*stage, value);
    if (row == kKeys.end()) {
      std::string names;
      for (const auto& each : kKeys) names += " " + std::string(each.name);
      return "unknown key '" + std::string(key) + "'; expected:" + names + " or a stage";
    }
    return (this->*row->read)(value);
  }

 private:
  struct Key {
    std::string_view name;
    std::string (StepReader::*read)(const Value& value);
  };
  static const std::array<Key, 17> kKeys;

  std::string wrong(std::string_view expected, const Value& value) const {
    return "'" + std::string(key_) + "' is " + std::string(vsl::type_name(value)) + "; expected: " + std::string(expected);
  }
  std::string read_text(std::optional<std::string>& to, const Value& value) {
    if (!value.is_string()) return wrong("a string", value);
    to = std::string(value.as_text());
    return {};
  }
  std::string read_texts(std::vector<std::string>& to, const Value& value) {
    to.clear();
    if (value.is_string()) {
      to.emplace_back(value.as_text());
      return {};
    }
    if (!value.is_array()) return wrong("a string or an array of strings", value);
    for (const Value& each : value.as_array()) {
      if (!each.is_string()) return wrong("an array of strings", each);
      to.emplace_back(each.as_text());
    }
    return {};
  }

  std::string client_ip(const Value& value) { return read_text(step_.client_ip, value); }
  std::string helo(const Value& value) { return read_text(step_.helo, value); }
  std::string from(const Value& value) { return read_text(step_.from, value); }
  std::string user(const Value& value) { return read_text(step_.user, value); }
  std::string time(const Value& value) {
    if (auto mistake = read_text(step_.time, value); !mistake.empty()) return mistake;
    return base::parse_rfc3339(*step_.time) ? std::string() : "'time' is '" + *step_.time + "'; expected: a time such as 2026-01-31T12:00:00Z";
  }
  std::string client_port(const Value& value) {
    if (!value.is_int() || value.as_int() < 0 || value.as_int() > 65535) return wrong("a port", value);
    step_.client_port = static_cast<std::uint16_t>(value.as_int());
    return {};
  }
  std::string to(const Value& value) { return read_texts(step_.to, value); }
  std::string tls(const Value& value) {
    if (!value.is_bool()) return wrong("true or false", value);
    step_.is_secured = value.as_bool();
    return {};
  }
  std::string shield_counts(Standing::Counts& counts, std::string_view name, const Value& value) {
    if (!value.is_map()) return wrong("a map of counts under '" + std::string(name) + "'", value);
    for (const auto& [count, each] : value.as_map().entries()) {
      const auto known = std::ranges::find(kCountNames, count.as_text());
      if (known == kCountNames.end()) return "'" + std::string(name) + "' has no '" + std::string(count.as_text()) + "'; expected: connections, messages, recipients, octets, errors, failed_log_ins, accepted";
      if (!each.is_int()) return wrong("a number for each count", each);
      counts[static_cast<std::size_t>(known - kCountNames.begin())] = each.as_int();
    }
    return {};
  }
  std::string shield(const Value& value) {
    if (!value.is_map()) return wrong("a map", value);
    auto& standing = step_.standing;
    for (const auto& [key, each] : value.as_map().entries()) {
      const auto name = key.as_text();
      std::string mistake;
      if (name == "client" || name == "network") {
        mistake = shield_counts(name == "client" ? standing.client : standing.network, name, each);
      } else if (name == "dnsbl_lists") {
        mistake = read_texts(standing.dnsbl_lists, each);
      } else if (name == "dnsbl_score" && each.is_int()) {
        standing.dnsbl_score = each.as_int();
      } else if (name == "reputation" && each.is_string()) {
        standing.reputation = std::string(each.as_text());
      } else if ((name == "early_talker" || name == "stress") && each.is_bool()) {
        (name == "stress" ? standing.is_stressed : standing.is_early_talker) = each.as_bool();
      } else {
        mistake = wrong("a map of client, network, reputation, dnsbl_score, dnsbl_lists, early_talker, stress; at '" + std::string(name) + "'", each);
      }
      if (!mistake.empty()) return mistake;
    }
    return {};
  }
  std::string dns(const Value& value) {
    if (!value.is_map()) return wrong("a map of questions and answers: #{\"example.org TXT\": \"v=spf1 -all\"}", value);
    auto& zone = step_.dns.emplace();
    for (const auto& [question, each] : value.as_map().entries()) {
      std::vector<std::string> values;
      auto mistake = read_texts(values, each);
      if (mistake.empty()) mistake = zone.add(question.as_text(), values);
      if (!mistake.empty()) return mistake;
    }
    return {};
  }
  std::string message(const Value& value) {
    if (!value.is_string()) return wrong("a string", value);
    step_.message = value.as_text();
    step_.file.clear();
    return {};
  }
  std::string file(const Value& value) {
    if (!value.is_string()) return wrong("a string", value);
    step_.file = value.as_text();
    return {};
  }
  std::string after(const Value& value) {
    const auto duration = value.is_string() ? parse_duration(value.as_text()) : std::nullopt;
    if (!duration) return wrong("a duration such as \"10m\"", value);
    step_.after = *duration;
    return {};
  }
  std::string verdict(const Value& value) { return read_text(step_.verdict, value); }
  std::string headers(const Value& value) {
    if (!value.is_map()) return wrong("a map of names and values", value);
    for (const auto& [name, each] : value.as_map().entries()) {
      if (!each.is_string() && !each.is_unit()) return wrong("a string, or () for a field that is not there", each);
      TestStep::Header header{std::string(name.as_text()), std::nullopt};
      if (each.is_string()) header.value = std::string(each.as_text());
      step_.headers.push_back(std::move(header));
    }
    return {};
  }
  std::string recipients(const Value& value) { return read_texts(step_.recipients.emplace(), value); }
  std::string transports(const Value& value) {
    if (!value.is_map()) return wrong("a map of recipients and transports", value);
    for (const auto& [name, each] : value.as_map().entries()) {
      if (!each.is_string()) return wrong("a string", each);
      step_.transports.push_back({std::string(name.as_text()), std::string(each.as_text())});
    }
    return {};
  }
  std::string read_status(Stage stage, const Value& value) {
    std::erase_if(step_.statuses, [stage](const auto& status) { return status.stage == stage; });
    step_.statuses.push_back({stage, {}});
    return read_texts(step_.statuses.back().texts, value);
  }

  TestStep& step_;
  std::string_view key_;
};

const std::array<StepReader::Key, 17> StepReader::kKeys = {{
    {"client_ip", &StepReader::client_ip}, {"client_port", &StepReader::client_port}, {"helo", &StepReader::helo},
    {"from", &StepReader::from}, {"to", &StepReader::to}, {"auth", &StepReader::user}, {"tls", &StepReader::tls}, {"shield", &StepReader::shield},
    {"time", &StepReader::time}, {"after", &StepReader::after}, {"message", &StepReader::message}, {"file", &StepReader::file},
    {"verdict", &StepReader::verdict}, {"headers", &StepReader::headers}, {"recipients", &StepReader::recipients}, {"transports", &StepReader::transports},
    {"dns", &StepReader::dns},
}};

// Keys that say what the message shall come to: a step has its own, not those of the map around it.
void forget_expectations(TestStep& step) {
  step.statuses.clear();
  step.verdict.reset();
  step.headers.clear();
  step.recipients.reset();
  step.transports.clear();
  step.expect = Value();
}

class CaseReader {
 public:
  CaseReader(const std::string& path, vsl::Diagnostics& diagnostics) : path_(path), diagnostics_(diagnostics) {}

  std::optional<TestCase> read(const Value& value) {
    const Value* type = value.is_map() ? value.as_map().find("type") : nullptr;
    if (type == nullptr || !type->is_string() || type->as_text() != "test") {
      complain("an element of a test file is no test", "write: test \"name\" #{ ... }");
      return std::nullopt;
    }
    const vsl::Map& map = value.as_map();
    name_ = map.find("name")->as_text();
    TestCase test;
    test.name = name_;
    test.rules = rules_of(map);
    TestStep first;
    read_step(map, first);
    const Value* steps = map.find("steps");
    if (steps == nullptr) {
      test.steps.push_back(std::move(first));
    } else if (!steps->is_array()) {
      complain("'steps' of test '" + name_ + "' is no array", "");
    } else {
      for (const Value& each : steps->as_array()) {
        TestStep step = first;
        forget_expectations(step);
        if (!each.is_map()) {
          complain("a step of test '" + name_ + "' is no map", "");
        } else {
          read_step(each.as_map(), step);
        }
        test.steps.push_back(std::move(step));
      }
    }
    return is_sound_ ? std::optional(std::move(test)) : std::nullopt;
  }

 private:
  void complain(std::string text, std::string help) {
    is_sound_ = false;
    auto& diagnostic = diagnostics_.error({}, std::move(text));
    if (!help.empty()) diagnostic.with_help(std::move(help));
  }

  [[nodiscard]] std::string folder() const {
    const auto slash = path_.rfind('/');
    return slash == std::string::npos ? std::string() : path_.substr(0, slash + 1);
  }

  // FILE_test.vsl tests FILE.vsl unless it says otherwise.
  std::string rules_of(const vsl::Map& map) {
    if (const Value* rules = map.find("rules"); rules != nullptr && rules->is_string()) {
      const std::string path(rules->as_text());
      return path.starts_with('/') ? path : folder() + path;
    }
    constexpr std::string_view kEnd = "_test.vsl";
    if (path_.ends_with(kEnd)) return path_.substr(0, path_.size() - kEnd.size()) + ".vsl";
    complain("test '" + name_ + "' does not say what rules it is for", "rules: \"main.vsl\", or name the file MAIN_test.vsl");
    return {};
  }

  void read_step(const vsl::Map& map, TestStep& step) {
    constexpr auto kOthers = std::to_array<std::string_view>({"type", "name", "rules", "steps", "description"});
    StepReader reader(step);
    for (const auto& [key, value] : map.entries()) {
      const auto name = key.as_text();
      if (std::ranges::find(kOthers, name) != kOthers.end()) continue;
      if (name == "expect" || name == "evaluate") {
        if (!value.is_function()) complain("'expect' of test '" + name_ + "' is no closure", "expect: || has_header(\"X-Gate\")");
        step.expect = value;
        continue;
      }
      if (auto mistake = reader.read(name, value); !mistake.empty()) complain("test '" + name_ + "': " + mistake, "");
    }
    if (!step.file.empty() && !step.file.starts_with('/')) step.file = folder() + step.file;
  }

  const std::string& path_;
  vsl::Diagnostics& diagnostics_;
  std::string name_;
  bool is_sound_ = true;
};

}  // namespace

base::Result<std::unique_ptr<TestFile>> TestFile::load(const std::string& path, Site of_site) {
  std::unique_ptr<TestFile> file(new TestFile(std::move(of_site)));
  const Site& site = file->site_;
  const vsl::Dialect dialect{kTestDirectives, kDialect.declarations};
  Scene scene{site};
  vsl::FolderLoader loader(path, {.folders = site.settings.words("rules.path")});
  vsl::LoadOptions options;
  options.host = &scene;
  options.sinks = sinks_of(site);
  auto loaded = vsl::load(path, loader, file->api_.natives(), dialect, options);
  if (!loaded) return std::unexpected(loaded.error());
  file->loaded_ = std::move(*loaded);
  if (file->loaded_.program) file->take_cases(path);
  return file;
}

void TestFile::take_cases(const std::string& path) {
  const Value& value = program().value();
  if (!value.is_array()) {
    loaded_.diagnostics.error({}, "a test file must end in an array of tests, not in a value of type " + std::string(vsl::type_name(value)))
        .with_help("as the last expression: [ test \"name\" #{ ... } ]");
    return;
  }
  for (const Value& each : value.as_array())
    if (auto test = CaseReader(path, loaded_.diagnostics).read(each)) cases_.push_back(std::move(*test));
}

}  // namespace rules
