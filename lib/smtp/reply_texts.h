// What a server says in words of its own: the standard replies whose texts [smtp.codes] of vsmtp.ini changes, by the names that vSMTP
// gave them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/smtp/replies.h"

namespace smtp {

class ReplyTexts {
 public:
  // `text`: lines, separated by LF, of the form "554 5.7.1 words", code and enhanced status as they are if left out. It keeps what the
  // protocol needs: the class of a refusal and the code of any other reply; 421 and 521 only where the session ends; names of hosts
  // where greetings begin with one. "{domain}" stands for `domain`. Fault::Config says what was expected.
  [[nodiscard]] base::Result<void> set(std::string_view name, std::string_view text, std::string_view domain);

  void append(std::string& out, ReplyId id, std::string_view detail = {}) const;
  std::string greeting, helo;      // complete lines; "": the standard ones
  std::string ehlo, ehlo_secured;  // first line of the reply to EHLO, without its "250-", in clear and under TLS; "": the standard one

  // All names, and what stands for each when nobody says otherwise: "554 5.7.1 Denied".
  struct Name {
    std::string_view name;
    std::string text;
  };
  [[nodiscard]] static std::vector<Name> names();

 private:
  std::map<ReplyId, std::string> own_;  // complete lines
};

}  // namespace smtp
