#include "deliver-remote/letter.h"

#include "lib/base/text.h"
#include "lib/mail/field_scan.h"
#include "lib/mail/seven_bit.h"

namespace remote {

base::Result<std::shared_ptr<Letter>> Letter::make(base::Blob blob) {
  auto letter = std::make_shared<Letter>();
  letter->blob = std::move(blob);
  auto view = letter->blob.view();
  if (!view) return std::unexpected(std::move(view.error()));
  letter->view = std::move(*view);
  letter->needs = smtp::scan_message(letter->view.octets());
  return letter;
}

base::Result<std::shared_ptr<const Letter>> Letter::open(base::Blob blob) { return make(std::move(blob)); }

bool Letter::waives_tls() const {
  using base::text::equal_ignoring_case;
  mail::FieldScanner fields(view.octets());
  while (const auto field = fields.next()) {
    if (!equal_ignoring_case(field->name, "TLS-Required")) continue;
    auto body = field->octets.substr(field->body);
    while (body.ends_with('\n') || body.ends_with('\r')) body.remove_suffix(1);
    return equal_ignoring_case(base::text::trim(body), "No");
  }
  return false;
}

std::expected<std::shared_ptr<const Letter>, std::string> Letter::seven_bit() const {
  auto octets = mail::to_seven_bit(view.octets());
  if (!octets) return std::unexpected(std::move(octets.error()));
  const base::BlobWriter::Limits limits;
  base::BlobWriter writer(limits);
  if (const auto written = writer.append(*octets); !written) return std::unexpected(written.error().cause);
  *octets = std::string();
  auto letter = make(writer.finish());
  if (!letter) return std::unexpected(std::move(letter.error().cause));
  (*letter)->needs.has_8bit = false;  // what is left of it stands in the header, for which no extension is
  return std::move(*letter);
}

}  // namespace remote
