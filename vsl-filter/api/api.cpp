#include "vsl-filter/api/api.h"

#include "lib/base/text.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/services/service.h"

namespace rules {

namespace {

// "spf::check" -> {"spf", "check"}.
std::pair<std::string_view, std::string_view> split_name(std::string_view name) {
  const auto at = name.rfind("::");
  if (at == std::string_view::npos) return {{}, name};
  return {name.substr(0, at), name.substr(at + 2)};
}

vsl::Parameters behind(const vsl::Parameters& parameters) {
  vsl::Parameters more{kHandleClass};
  for (const vsl::Parameter& parameter : parameters.span()) more.all[more.count++] = parameter;
  return more;
}

}  // namespace

void Api::add_spelling(const ApiRow& row, std::string_view space, std::string_view name, std::uint16_t flags) {
  made_.push_back({name, {}, row.parameters, static_cast<std::uint16_t>(row.flags | flags), row.run, row.doc, space, row.stages});
  natives_.add({&made_.back(), 1});
}

void Api::add_with_handle(const ApiRow& row, std::string_view space, std::string_view name) {
  if ((row.flags & kNoHandle) != 0 || row.parameters.count == vsl::Parameters::kMost) return;
  const std::uint16_t property = row.parameters.count == 0 ? vsl::kProperty : 0;
  made_.push_back({name, {}, behind(row.parameters), static_cast<std::uint16_t>(row.flags | kSpelling | property), row.behind_handle, row.doc, space,
                   row.stages});
  natives_.add({&made_.back(), 1});
}

void Api::add(std::span<const ApiRow> rows) {
  for (const ApiRow& row : rows) {
    std::string_view rest = row.aliases;
    for (std::string_view spelling = row.name; !spelling.empty();) {
      const auto [space, name] = split_name(spelling);
      add_spelling(row, space, name, spelling == row.name ? 0 : kSpelling);
      if (space.empty()) {
        add_spelling(row, "vsl", name, kSpelling | kDeprecated);
        add_spelling(row, "sys", name, kSpelling);
        add_with_handle(row, "sys", name);
      }
      add_with_handle(row, space, name);
      do {
        const auto [next, behind_next] = base::text::split_once(rest, ' ');
        spelling = next;
        rest = behind_next;
      } while (spelling.empty() && !rest.empty());
    }
  }
}

Api::Api(const Site& site) {
  vsl::add_standard_functions(natives_);
  natives_.add(object_rows());
  natives_.add(service_rows());
  for (const auto& rows : {constructor_rows(), status_rows(), context_rows(), envelope_rows(), header_rows(), message_rows(), mime_rows(), body_rows(), transport_rows(), file_rows(),
                           variable_rows(), system_rows(), relay_rows(), dns_rows(), spf_rows(), dkim_rows(), dkim_sign_rows(), dmarc_rows(), arc_rows(), auth_results_rows(), rate_rows(), greylist_rows(), hook_rows(), queue_rows(), return_path_rows(), send_mail_rows(), authenticate_rows()})
    add(rows);
  add_predefined(natives_);
  add_configuration(natives_, site);
}

}  // namespace rules
