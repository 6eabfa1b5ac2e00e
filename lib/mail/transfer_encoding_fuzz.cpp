// Decoders never give more than they got; what base64 writes it reads; what checks as clean decodes as it should.
#include <cstdint>
#include <cstdlib>

#include "lib/mail/transfer_encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto encoding : {mail::TransferEncoding::QuotedPrintable, mail::TransferEncoding::Base64, mail::TransferEncoding::EightBit}) {
    std::string decoded;
    mail::decode(decoded, text, encoding);
    if (decoded.size() > size) std::abort();
  }
  std::size_t last = 0;
  const auto report = [&](mail::EncodingFault, std::size_t offset) {
    if (offset > size) std::abort();
    last = offset;
    return true;
  };
  mail::check_quoted_printable(text, report);
  mail::check_base64(text, report);
  std::string encoded, decoded;
  mail::encode_base64(encoded, text);
  mail::decode_base64(decoded, encoded);
  if (decoded != text) std::abort();
  return 0;
}
