// rules_manual: prints vsl(7): the introduction of rules_manual_text.h, and a reference made of the tables of the API. A test compares
// it with vsl-filter/vsl.7; `make generated` writes it.
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/text.h"
#include "tests/tools/rules_manual_text.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/modes/api_text.h"
#include "vsl-filter/lang/text.h"
#include "vsl-filter/stages/rule_set.h"
#include "vsl-filter/services/service.h"
#include "vsl-filter/transaction/stage.h"

namespace {

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// What mdoc would take for a macro or an escape.
std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
  for (const char c : text) out += c == '\\' ? std::string("\\e") : std::string(1, c);
  return out;
}

// For a line of a macro: words like `Fl`, and what ends a sentence, are text.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\\(dq") : c == '\\' ? std::string("\\e") : std::string(1, c);
  return out + "\"";
}

// A line begins with no macro, and a sentence begins a line.
std::string filled(std::string_view text) {
  constexpr std::size_t kWidth = 78;
  std::string out, line;
  bool ends_sentence = false;
  for (const auto word : base::text::split(text, ' ')) {
    if (!line.empty() && (ends_sentence || line.size() + 1 + word.size() > kWidth)) {
      out += escaped(line) + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + std::string(word);
    ends_sentence = word.ends_with('.') && word != "...";
  }
  return out + escaped(line);
}

// Words of the language stay as they are: "check_mail_relay in mail", "no: the file is read once".
std::string sentence(std::string_view text) {
  std::string out(text);
  const std::string_view first = text.substr(0, text.find(' '));
  if (first.find_first_of("_(:.") == std::string_view::npos && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return filled(out.ends_with('.') ? out : out + ".");
}

// ---- functions ----------------------------------------------------------------------------------------------------------

std::string parameters_text(std::span<const vsl::Parameter> parameters) {
  std::string text;
  for (const vsl::Parameter& parameter : parameters) {
    text += text.empty() ? "" : ", ";
    text += parameter.host_class != nullptr ? parameter.host_class->name : vsl::type_text(parameter.type);
  }
  return text;
}

std::string signature(const vsl::NativeRow& row) {
  std::string name(row.name);
  if (!row.space.empty()) name = std::string(row.space) + "::" + name;
  if ((row.flags & vsl::kConstant) != 0) return name;
  return name + "(" + parameters_text(row.parameters.span()) + ")";
}

void print_function(const vsl::NativeRow& row) {
  print(".It Ic " + quoted(signature(row)) + "\n" + sentence(row.doc) + "\n");
  if (const rules::Stages stages = rules::stages_of(row); stages != rules::kEvery) print("Stages: " + rules::stages_text(stages) + ".\n");
}

struct Section {
  std::string title;
  std::vector<const vsl::NativeRow*> rows;
};

void print_sections(const std::vector<Section>& sections) {
  for (const Section& section : sections) {
    if (section.rows.empty()) continue;
    print(".Ss " + escaped(section.title) + "\n.Bl -tag -width Ds\n");
    for (const vsl::NativeRow* row : section.rows) print_function(*row);
    print(".El\n");
  }
}

// The tables of the API whose functions have no namespace.
struct Group {
  std::string_view title;
  std::span<const rules::ApiRow> (*rows)();
};
constexpr auto kGroups = std::to_array<Group>({
    {"Statuses", rules::status_rows},
    {"Connection and session", rules::context_rows},
    {"Envelope", rules::envelope_rows},
    {"Fields of the header", rules::header_rows},
    {"Message", rules::message_rows},
    {"Transports", rules::transport_rows},
    {"Files", rules::file_rows},
    {"Variables", rules::variable_rows},
    {"Relay checks", rules::relay_rows},
    {"DNS", rules::dns_rows},
    {"Log, time, machine", rules::system_rows},
    {"Users", rules::authenticate_rows},
    {"Mail of the rules' own", rules::send_mail_rows},
    {"Hooks", rules::hook_rows},
});

// What the language itself offers, by what it is offered on.
std::string_view language_section(const vsl::NativeRow& row) {
  using enum vsl::Type;
  if (row.parameters.count == 0) return "Any value";
  switch (row.parameters.all[0].type) {
    case String: case Text: case Char: return "Texts";
    case Array: return "Arrays";
    case Map: return "Maps";
    case Int: case Float: case Number: return "Numbers";
    case Range: return "Ranges";
    case Blob: return "Blobs";
    case Timestamp: return "Time";
    case Host: return "Services and objects";
    default: return "Any value";
  }
}

// What `object` and `service` call.
bool is_constructor(std::string_view name) {
  return std::ranges::any_of(rules::kDialect.declarations, [name](const auto& declaration) { return declaration.constructor == name; });
}

bool is_of_rules(const vsl::NativeRow& row) { return row.host_data != 0; }

void print_functions(const rules::Api& api) {
  std::map<std::string_view, std::size_t> group_of;  // by the name of the row
  for (std::size_t i = 0; i < kGroups.size(); ++i)
    for (const rules::ApiRow& row : kGroups[i].rows()) group_of.emplace(row.name, i);

  std::vector<Section> mail(kGroups.size()), families, language;
  for (std::size_t i = 0; i < kGroups.size(); ++i) mail[i].title = kGroups[i].title;
  const auto section = [](std::vector<Section>& sections, std::string_view title) -> Section& {
    for (Section& each : sections)
      if (each.title == title) return each;
    return sections.emplace_back(Section{std::string(title), {}});
  };
  for (const vsl::NativeRow* row : api.natives().rows()) {
    if ((row->flags & rules::kSpelling) != 0 || is_constructor(row->name)) continue;
    const auto group = group_of.find(row->name);
    if (row->space.empty() && is_of_rules(*row) && group != group_of.end()) {
      mail[group->second].rows.push_back(row);
    } else if (!row->space.empty()) {
      section(families, std::string(row->space) + "::").rows.push_back(row);
    } else {
      section(language, language_section(*row)).rows.push_back(row);
    }
  }
  print(".Sh FUNCTIONS OF RULES\n" + std::string(kFunctionsIntroduction));
  print_sections(mail);
  print(".Sh FAMILIES OF FUNCTIONS\n");
  print_sections(families);
  print(kBodies);
  print(".Sh FUNCTIONS OF THE LANGUAGE\n" + std::string(kLanguageFunctionsIntroduction));
  print_sections(language);
}

// ---- stages, services, constants ----------------------------------------------------------------------------------------

void print_stages() {
  print(kStagesIntroduction);
  print(".Bl -tag -width authenticate\n");
  for (const rules::StageRow& row : rules::kStages) print(".It Cm " + std::string(row.name) + "\n" + sentence(row.available) + "\n");
  print(".El\n");
}

std::string_view type_name(rules::OptionType type) {
  switch (type) {
    case rules::OptionType::Text: return "text";
    case rules::OptionType::Character: return "character";
    case rules::OptionType::Count: return "number";
    case rules::OptionType::Duration: return "duration";
    case rules::OptionType::Flag: return "bool";
    case rules::OptionType::Words: return "array of texts";
    case rules::OptionType::Map: return "map";
  }
  return "";
}

void print_services() {
  print(kServicesIntroduction);
  for (const rules::ServiceKind* kind : rules::service_kinds()) {
    print(".Ss service NAME " + std::string(kind->name) + "\n" + sentence(kind->doc) + "\nAlso\n.Fn " +
          quoted(std::string(kind->space) + "::" + std::string(kind->constructor)) + " .\n.Bl -tag -width output_max\n");
    for (const rules::OptionRow& row : kind->options) {
      print(".It Cm " + std::string(row.name) + " : " + std::string(type_name(row.type)) + "\n" + sentence(row.doc) + "\n");
      if (row.is_required) print("Must be given.\n");
      if (!row.standard.empty()) print("Default:\n.Ql \\&" + escaped(row.standard) + " .\n");
    }
    print(".El\n");
  }
}

void print_constants(const rules::Api& api) {
  print(".Sh CONSTANTS\n.Bl -column \"code550_7_20_and_more\" \"value\" -compact\n");
  api.natives().each_constant([](const vsl::NativeConstant& constant) {
    if (!constant.space.empty() || constant.value.is_map()) return;
    std::string text;
    vsl::append_text(text, constant.value);
    print(".It Dv " + quoted(constant.name) + " Ta " + quoted(text) + "\n");
  });
  print(".El\n.Pp\n" + std::string(kConfiguration));
}

}  // namespace

int main() {
  const rules::Site site;
  const rules::Api api(site);
  print(kIntroduction);
  print_stages();
  print(kDirectives);
  print(kObjects);
  print_services();
  print(kLanguage);
  print_functions(api);
  print_constants(api);
  print(kTail);
}
