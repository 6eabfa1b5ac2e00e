#include "tls-report/report_mail.h"

#include <zlib.h>

#include <functional>

#include "lib/base/base64.h"
#include "lib/mail/date.h"

namespace tls_report {

std::string gzip(const std::string& octets) {
  constexpr int kGzipWindow = 15 + 16;  // deflateInit2(): the largest, with the header of gzip
  constexpr int kMemory = 8;
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string packed(::deflateBound(&stream, octets.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));  // zlib does not write there
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const bool is_whole = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  packed.resize(is_whole ? stream.total_out : 0);
  ::deflateEnd(&stream);
  return packed;
}

std::string file_name(const Report& report) { return report.submitter + "!" + report.domain + "!" + report.begin + "!" + report.end + "!" + report.id + ".json.gz"; }

std::string to_mail(const Report& report, const std::string& mailbox, base::WallTime now) {
  constexpr std::size_t kLine = 76;  // RFC 2045 section 6.8
  const auto boundary = "tlsrpt-" + std::to_string(std::hash<std::string>{}(report.id));  // of 70 octets at most (RFC 2046 section 5.1.1)
  std::string mail = "From: <" + report.contact + ">\r\nTo: <" + mailbox + ">\r\nDate: ";
  mail::append_date_time(mail, now);
  mail += "\r\nMessage-ID: <" + report.id + "@" + report.submitter + ">\r\nSubject: Report Domain: " + report.domain + "\r\n Submitter: " + report.submitter + "\r\n Report-ID: <" + report.id + "@" +
          report.submitter + ">\r\nTLS-Report-Domain: " + report.domain + "\r\nTLS-Report-Submitter: " + report.submitter +
          "\r\nTLS-Required: No\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"" + boundary + "\"\r\n\r\n";
  mail += "--" + boundary + "\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThis is a report (RFC 8460) of how sessions under TLS went with the mail\r\nexchangers of " + report.domain +
          ".\r\n\r\n";
  mail += "--" + boundary + "\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n filename=\"" + file_name(report) + "\"\r\n\r\n";
  const auto text = base::to_base64(report.json_gz);
  for (std::size_t at = 0; at < text.size(); at += kLine) mail += text.substr(at, kLine) + "\r\n";
  return mail + "\r\n--" + boundary + "--\r\n";
}

}  // namespace tls_report
