#include "lib/base/settings.h"

#include <ini.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <memory>
#include <set>

#include "lib/base/text.h"

namespace base {
namespace {

constexpr auto kSettings = std::to_array<Setting>({
    // section, key, kind, default, choices, doc
    {"server", "domain", Kind::Text, "", "", "name of this host in greetings and trace fields; empty: the host name"},
    {"server", "user", Kind::Text, "", "", "user that the program becomes when its sockets are bound; empty: it stays who it is"},
    {"server", "chroot", Kind::Path, "", "", "folder that smtpd sees as / when its sockets are bound and its files read; empty: it sees all"},
    {"server", "sandbox", Kind::Choice, "auto", "auto|yes|no", "shut in (Landlock, seccomp, no new privileges) what reads the network or mail and keeps running: where it starts no programs; or refuse to run outside; or never"},
    {"server", "sandbox_folders", Kind::List, "", "", "folders and files that programs which shut themselves in may read and write beside those they know of"},
    {"server", "metrics", Kind::List, "", "", "where smtpd gives its counters in OpenMetrics form: unix:PATH and ADDRESS:PORT to who asks, file:PATH every 10 seconds"},
    {"server", "memory_max", Kind::Octets, "0", "", "memory that a process may have for itself; it ends when it needs more; 0: no limit"},
    {"server", "client_count_max", Kind::Count, "10000", "", "connections at once, for each worker"},
    {"server", "client_count_per_address_max", Kind::Count, "100", "", "connections at once from one address (IPv6: one /64), for each worker; 0: no limit"},

    {"smtp", "listen", Kind::List, "", "", "addresses to listen on: 192.0.2.1:25, [2001:db8::1]:25, unix:/path, or a port alone for loopback"},
    {"smtp", "listen_submission", Kind::List, "", "", "the same for mail of users, best port 587: only under TLS (tls.submission_security_level)"},
    {"smtp", "listen_submissions", Kind::List, "", "", "the same where TLS begins with the connection, best port 465"},
    {"smtp", "service", Kind::Choice, "smtp", "smtp|submission|submissions", "what one session on descriptors 0 and 1, and sockets that were handed over without a name, are for"},
    {"smtp", "workers", Kind::Count, "1", "", "processes that serve the same sockets"},
    {"smtp", "chain", Kind::Program, "queue-inject", "", "programs that take a message: PROGRAM ARGUMENT... -- PROGRAM ..., or unix:SOCKET; what stands behind -- on the command line wins"},
    {"smtp", "chain_timeout", Kind::Duration, "5m", "", "time that the chain has for a message"},
    {"smtp", "chain_process_max", Kind::Count, "50", "", "programs that run at once, for each worker; more messages wait"},
    {"smtp", "policy", Kind::Program, "", "", "who is asked at each stage, one after the other: unix:SOCKET, inet:ADDRESS:PORT or PROGRAM ARGUMENT..., with -- between two; rcpt=... asks only there"},
    {"smtp", "policy_timeout", Kind::Duration, "100s", "", "time that a policy has for an answer"},
    {"smtp", "policy_default_action", Kind::Text, "451 4.3.5 Server configuration problem", "", "action when a policy does not answer, or with nonsense"},
    {"smtp", "policy_idle_max", Kind::Duration, "300s", "", "how long a connection to a policy, or its program, is kept without a question"},
    {"smtp", "policy_connection_max", Kind::Count, "100", "", "questions at once to a policy, for each worker; more wait"},
    {"smtp", "lmtp", Kind::Flag, "no", "", "speak LMTP (RFC 2033) instead of SMTP: LHLO, and a reply for each recipient of a message"},
    {"smtp", "dsn", Kind::Flag, "yes", "", "offer DSN: senders say what they want to be told of a delivery; no where no queue-run delivers what is taken"},
    {"smtp", "greeting", Kind::Text, "Service ready", "", "text of the greeting behind the name of the server"},
    {"smtp", "vrfy", Kind::Choice, "yes", "yes|known|no", "VRFY is answered 252, so only for addresses that mail is taken for from everyone, or not at all"},
    {"smtp", "etrn", Kind::Program, "", "", "who starts the queue for a domain, which stands behind it: unix:SPOOL/queue-run.sock retry domain; empty: ETRN is not offered"},
    {"smtp", "disable_ehlo", Kind::Flag, "no", "", "refuse EHLO, so that clients say HELO and use no extension"},
    {"smtp", "disable_extensions", Kind::List, "", "", "EHLO keywords that are not offered, such as CHUNKING SMTPUTF8"},
    {"smtp", "required_extension", Kind::List, "", "", "EHLO keywords without which the server does not start, such as STARTTLS AUTH"},
    {"smtp", "relay_domains", Kind::List, "", "", "domains that mail is taken for from everyone, beside delivery.local_domains; .example.org for all names below it"},
    {"smtp", "relay_clients", Kind::List, "127.0.0.0/8 ::1", "", "addresses and networks whose clients may send to any domain"},
    {"smtp", "proxy_clients", Kind::List, "", "", "addresses and networks of proxies, whose connections begin with a header of the PROXY protocol (versions 1 and 2) that says who the client is"},
    {"smtp", "xclient_clients", Kind::List, "", "", "addresses and networks whose clients may say by XCLIENT that they are somebody else"},
    {"smtp", "message_size_max", Kind::Octets, "20m", "", "largest message; 0: no limit"},
    {"smtp", "message_memory_max", Kind::Octets, "256k", "", "largest message that is held in memory; larger ones are in a memory file"},
    {"smtp", "message_memfd_max", Kind::Octets, "4m", "", "largest message in a memory file; larger ones are in an unlinked file of message_directory"},
    {"smtp", "message_directory", Kind::Path, "/tmp", "", "where large messages are while they come in; best the tmp/ of the spool"},
    {"smtp", "rcpt_count_max", Kind::Count, "1000", "", "recipients of a message"},
    {"smtp", "command_line_max", Kind::Count, "2048", "", "octets of a command line, with CR LF; at least 512"},
    {"smtp", "text_line_max", Kind::Count, "0", "", "octets of a line of a message, with CR LF; at least 1000, 0: no limit"},
    {"smtp", "missing_fields", Kind::Choice, "submission", "no|submission|all", "messages that get a Date and a Message-ID if they have none: those on sockets of listen_submission and listen_submissions, or all"},
    {"smtp", "non_ascii_header", Kind::Choice, "accept", "accept|refuse", "what becomes of messages with non-ASCII octets in the header and no SMTPUTF8 with MAIL"},
    {"smtp", "bare_line_end", Kind::Choice, "refuse", "refuse|normalise", "what becomes of messages and commands with a CR or LF alone"},
    {"smtp", "error_soft_count", Kind::Count, "10", "", "errors of a client that are answered at once"},
    {"smtp", "error_hard_count", Kind::Count, "20", "", "errors of a client with which the session ends"},
    {"smtp", "error_delay", Kind::Duration, "5s", "", "how late further errors are answered"},
    {"smtp", "idle_command_max", Kind::Count, "100", "", "NOOP, RSET and the like in a row; each more is an error"},
    {"smtp", "transaction_count_max", Kind::Count, "10000", "", "messages of a session; 0: no limit"},
    {"smtp", "timeout_connect", Kind::Duration, "5m", "", "time for the first command"},
    {"smtp", "timeout_helo", Kind::Duration, "5m", "", "time for a command outside a transaction"},
    {"smtp", "timeout_mail_from", Kind::Duration, "5m", "", "time for the command behind MAIL"},
    {"smtp", "timeout_rcpt_to", Kind::Duration, "5m", "", "time for a command behind RCPT"},
    {"smtp", "timeout_line", Kind::Duration, "1m", "", "time from the first octet of a command to its end"},
    {"smtp", "timeout_data", Kind::Duration, "5m", "", "longest silence within a message"},
    {"smtp", "data_time_max", Kind::Duration, "1h", "", "time for a whole message"},
    {"smtp", "data_rate_min", Kind::Octets, "100", "", "octets a second that a message comes with at least; 0: no limit"},
    {"smtp", "data_rate_time", Kind::Duration, "3m", "", "how long a message may be slower than that"},
    {"smtp", "drain_timeout", Kind::Duration, "10m", "", "time that open sessions have when the server has begun anew, in another process"},
    {"smtp", "stop_timeout", Kind::Duration, "30s", "", "time that open transactions have when the server is stopped"},

    {"smtp.codes", "Greetings", Kind::Lines, "", "", "the greeting, which begins with a name of the server"},
    {"smtp.codes", "Help", Kind::Lines, "", "", "reply to HELP"},
    {"smtp.codes", "Closing", Kind::Lines, "", "", "reply to QUIT"},
    {"smtp.codes", "Helo", Kind::Lines, "", "", "reply to HELO"},
    {"smtp.codes", "EhloPain", Kind::Lines, "", "", "first line of the reply to EHLO, which begins with a name of the server; the extensions stand below it"},
    {"smtp.codes", "EhloSecured", Kind::Lines, "", "", "the same under TLS"},
    {"smtp.codes", "DataStart", Kind::Lines, "", "", "reply to DATA"},
    {"smtp.codes", "Ok", Kind::Lines, "", "", "reply to what is taken: MAIL, RCPT, RSET, NOOP, and a message for which the chain has no words"},
    {"smtp.codes", "Denied", Kind::Lines, "", "", "refusal without words of its own"},
    {"smtp.codes", "Failure", Kind::Lines, "", "", "something went wrong on this side"},
    {"smtp.codes", "UnrecognizedCommand", Kind::Lines, "", "", "a command that nobody knows"},
    {"smtp.codes", "SyntaxErrorParams", Kind::Lines, "", "", "an argument that cannot be read"},
    {"smtp.codes", "ParameterUnimplemented", Kind::Lines, "", "", "a parameter of MAIL or RCPT that is not known"},
    {"smtp.codes", "Unimplemented", Kind::Lines, "", "", "a command of an extension that is not offered"},
    {"smtp.codes", "BadSequence", Kind::Lines, "", "", "a command that has no place here"},
    {"smtp.codes", "AlreadyUnderTLS", Kind::Lines, "", "", "STARTTLS under TLS"},
    {"smtp.codes", "TlsRequired", Kind::Lines, "", "", "a command that needs STARTTLS first"},
    {"smtp.codes", "TlsGoAhead", Kind::Lines, "", "", "reply to STARTTLS"},
    {"smtp.codes", "AuthSucceeded", Kind::Lines, "", "", "a log-in that was right"},
    {"smtp.codes", "AuthMechNotSupported", Kind::Lines, "", "", "a mechanism that is not offered"},
    {"smtp.codes", "AuthClientMustNotStart", Kind::Lines, "", "", "an initial response for a mechanism that has none"},
    {"smtp.codes", "AuthMechanismMustBeEncrypted", Kind::Lines, "", "", "a mechanism that needs TLS"},
    {"smtp.codes", "AuthInvalidCredentials", Kind::Lines, "", "", "a log-in that was wrong"},
    {"smtp.codes", "AuthRequired", Kind::Lines, "", "", "a command that needs a log-in first"},
    {"smtp.codes", "AuthClientCanceled", Kind::Lines, "", "", "a log-in that the client gave up"},
    {"smtp.codes", "AuthErrorDecode64", Kind::Lines, "", "", "a response that is not base64, or not one of the mechanism"},
    {"smtp.codes", "ConnectionMaxReached", Kind::Lines, "", "", "too many connections"},
    {"smtp.codes", "TooManyError", Kind::Lines, "", "", "the last error of a session"},
    {"smtp.codes", "Timeout", Kind::Lines, "", "", "the client was silent for too long"},
    {"smtp.codes", "TooManyRecipients", Kind::Lines, "", "", "a recipient beyond rcpt_count_max"},
    {"smtp.codes", "RelayDenied", Kind::Lines, "", "", "a recipient of a domain that mail is not taken for"},
    {"smtp.codes", "ReturnDenied", Kind::Lines, "", "", "a recipient of delivery.srs_domain that looks like one of our reverse-paths and is none, or is too old"},
    {"smtp.codes", "BadSender", Kind::Lines, "", "", "an address of MAIL that is none"},
    {"smtp.codes", "BadRecipient", Kind::Lines, "", "", "an address of RCPT that is none"},
    {"smtp.codes", "NonAsciiAddress", Kind::Lines, "", "", "an address that needs SMTPUTF8"},
    {"smtp.codes", "NonAsciiHeader", Kind::Lines, "", "", "a message whose header needs SMTPUTF8"},
    {"smtp.codes", "NoRecipients", Kind::Lines, "", "", "DATA when all recipients were refused"},
    {"smtp.codes", "MessageTooLarge", Kind::Lines, "", "", "a message larger than message_size_max"},
    {"smtp.codes", "BareLineEnd", Kind::Lines, "", "", "a message with a CR or LF alone"},
    {"smtp.codes", "TextLineTooLong", Kind::Lines, "", "", "a message with a line longer than text_line_max"},
    {"smtp.codes", "NoStorage", Kind::Lines, "", "", "a message that cannot be stored"},
    {"smtp.codes", "CannotVerify", Kind::Lines, "", "", "reply to VRFY"},
    {"smtp.codes", "TooFast", Kind::Lines, "", "", "a message or recipient beyond the rates of [shield]"},
    {"smtp.codes", "TooManyTransactions", Kind::Lines, "", "", "a message beyond transaction_count_max"},
    {"smtp.codes", "TooManyAuthFailures", Kind::Lines, "", "", "the last wrong log-in of a session or address"},
    {"smtp.codes", "AuthTemporaryFailure", Kind::Lines, "", "", "a log-in that cannot be checked now"},
    {"smtp.codes", "TooBusy", Kind::Lines, "", "", "a client that makes way, or is not let in, while the server is under stress"},
    {"smtp.codes", "ShuttingDown", Kind::Lines, "", "", "the server stops"},
    {"smtp.codes", "TalkedFirst", Kind::Lines, "", "", "the client did not wait for the greeting"},

    {"tls", "certificate", Kind::List, "", "", "PEM files, each a certificate and those that lead to its authority; one for ECDSA and one for RSA may stand side by side. Empty: no TLS"},
    {"tls", "private_key", Kind::List, "", "", "PEM files with the keys of the certificates, in the same order; empty: they stand in the files of the certificates"},
    {"tls", "security_level", Kind::Choice, "may", "none|may|encrypt", "sockets of smtp.listen: no STARTTLS, STARTTLS for who wants it, or no mail without it"},
    {"tls", "submission_security_level", Kind::Choice, "encrypt", "none|may|encrypt", "the same for sockets of smtp.listen_submission"},
    {"tls", "cipher_suite", Kind::List, "", "", "cipher suites by the names of IANA, best first; empty: all with ECDHE and AEAD"},
    {"tls", "handshake_timeout", Kind::Duration, "30s", "", "time that a handshake has"},
    {"tls", "client_certificate", Kind::Choice, "none", "none|ask|require", "whether clients are asked for certificates"},
    {"tls", "client_authorities", Kind::Path, "", "", "PEM file with certificates of those who sign the clients'"},
    {"tls", "ticket_lifetime", Kind::Duration, "1h", "", "how long a client can resume a session without a full handshake; 0: not at all"},

    {"shield", "file", Kind::Path, "", "", "file that keeps the counts, for qctl shield and for servers and sessions that are started apart; best on a memory file system. Empty: the workers of a server share memory"},
    {"shield", "rows", Kind::Count, "65536", "", "addresses and networks that are remembered; the oldest go first"},
    {"shield", "period", Kind::Duration, "1m", "", "time in which is counted"},
    {"shield", "connection_rate", Kind::Count, "0", "", "connections of an address in that time; more are turned away; 0: no limit"},
    {"shield", "message_rate", Kind::Count, "0", "", "messages of an address in that time; more are put off; 0: no limit"},
    {"shield", "recipient_rate", Kind::Count, "0", "", "recipients that an address names in that time; more are put off; 0: no limit"},
    {"shield", "octet_rate", Kind::Octets, "0", "", "octets that an address sends in that time; further messages are put off; 0: no limit"},
    {"shield", "error_rate", Kind::Count, "300", "", "errors of an address in that time; more lead to a ban; 0: no limit"},
    {"shield", "failed_log_in_rate", Kind::Count, "60", "", "log-ins of an address that fail in auth.failure_address_time; more lead to a ban; 0: no limit"},
    {"shield", "good_time", Kind::Duration, "7d", "", "how long messages that were accepted, and log-ins, speak for an address"},
    {"shield", "network_factor", Kind::Count, "8", "", "how much more than an address its network (IPv4 /24, IPv6 /64) may do; 0: networks are not looked at"},
    {"shield", "ban_time", Kind::Duration, "10m", "", "how long the first ban lasts, each further one of a day twice as long; 0: nobody is banned"},
    {"shield", "ban_time_max", Kind::Duration, "1d", "", "how long a ban lasts at most"},
    {"shield", "tarpit_error_count", Kind::Count, "50", "", "errors of an address in the period from which on each further one is answered late, in whatever session; 0: only those beyond smtp.error_soft_count are"},
    {"shield", "tarpit_delay", Kind::Duration, "1s", "", "by how much more than the one before each of them is late, beyond smtp.error_delay"},
    {"shield", "tarpit_delay_max", Kind::Duration, "30s", "", "longest such delay"},
    {"shield", "tarpit_session_max", Kind::Count, "1000", "", "sessions that wait so at once, for each worker; a further one ends instead"},
    {"shield", "greeting_delay", Kind::Duration, "0", "", "how late clients are greeted; who talks before that is sent away; 0: at once"},
    {"shield", "early_talker", Kind::Choice, "refuse", "refuse|mark", "what becomes of who talks before a late greeting; mark: rules are told"},
    {"shield", "stress_percent", Kind::Count, "80", "", "of server.client_count_max: with so many connections less patience is had with strangers; 0: never"},
    {"shield", "stress_timeout", Kind::Duration, "10s", "", "longest time for a command, or silence within a message, under stress"},
    {"shield", "stress_error_count", Kind::Count, "3", "", "errors with which a session ends under stress"},
    {"shield", "memory_high", Kind::Octets, "0", "", "memory of a process with which no more strangers are let in; 0: nine tenths of what its control group may have"},
    {"shield", "descriptor_reserve", Kind::Count, "200", "", "descriptors that strangers do not get"},
    {"shield", "dnsbl", Kind::List, "", "", "lists of addresses in DNS that are asked about clients, as Postfix's postscreen has them: zen.example=127.0.0.[2..11]*3 dnswl.example*-2. Empty: none"},
    {"shield", "dnsbl_threshold", Kind::Count, "1", "", "sum of their weights from which on a client is listed"},
    {"shield", "dnsbl_action", Kind::Choice, "rcpt", "none|rcpt|connect", "where a client that is listed is refused; none: that is left to policies"},
    {"shield", "dnsbl_service", Kind::List, "smtp", "", "whose clients are looked up: smtp, submission, submissions. Who has logged in is not refused for it"},
    {"shield", "dnsbl_timeout", Kind::Duration, "10s", "", "time for a list to answer; what comes later counts as nothing"},
    {"shield", "exempt", Kind::List, "127.0.0.0/8 ::1", "", "addresses and networks that are not counted"},

    {"virtual", "certificate", Kind::List, "", "", "PEM files, as in [tls], for clients that ask for this domain or for a name of these certificates"},
    {"virtual", "private_key", Kind::List, "", "", "PEM files with their keys, as in [tls]"},
    {"virtual", "dkim_selector", Kind::List, "", "", "selectors of dkim_private_key, one for each"},
    {"virtual", "dkim_private_key", Kind::List, "", "", "PEM files with the keys that sign mail of authors of this domain and those below it"},
    {"virtual", "address", Kind::List, "", "", "IP addresses of this machine that are this domain's: a client that reached one of them is a client of this domain, also before TLS"},
    {"virtual", "hostname", Kind::Text, "", "", "name of this host in greetings and trace fields for clients of this domain; empty: server.domain"},
    {"virtual", "greeting", Kind::Text, "", "", "text of their greeting behind the name; empty: smtp.greeting"},
    {"virtual", "relay_domains", Kind::List, "", "", "domains that mail is taken for from everyone who is a client of this domain, beside those of [smtp]; without address: from everyone"},
    {"virtual", "dns_server", Kind::List, "", "", "DNS servers, as in [dns], for what rules and lists of addresses ask about clients of this domain; empty: those of [dns]"},
    {"virtual", "dns_stub", Kind::List, "", "", "zones that are asked elsewhere for them, as in [dns]; empty: those of [dns]"},
    {"virtual", "dns_trust_anchor", Kind::Text, "", "", "file for DNSSEC, as in [dns]; none: DNSSEC is not checked for them; empty: that of [dns]"},
    {"virtual", "dns_timeout", Kind::Duration, "0", "", "until a question of their rules to DNS is answered; 0: that of [dns]"},

    {"auth", "mechanisms", Kind::List, "PLAIN LOGIN", "", "SASL mechanisms that are offered, if somebody can check who uses them: also SCRAM-SHA-256 SCRAM-SHA-256-PLUS CRAM-MD5 XOAUTH2 OAUTHBEARER EXTERNAL ANONYMOUS"},
    {"auth", "allow_plaintext", Kind::Flag, "no", "", "offer mechanisms that show password or token (PLAIN, LOGIN, XOAUTH2, OAUTHBEARER) without TLS too"},
    {"auth", "required", Kind::Choice, "submission", "no|submission|all", "sockets on which nobody sends mail who has not authenticated, if there is a way to: those of smtp.listen_submission and smtp.listen_submissions, or all"},
    {"auth", "password_file", Kind::Path, "", "", "file with a line USER:PASSWORD for each user, the password hashed; see auth-hash(1)"},
    {"auth", "check_password", Kind::Program, "", "", "program that says whether name and password of a user are right, by the checkpassword interface: both on descriptor 3, exit code 0 or 1"},
    {"auth", "check_password_timeout", Kind::Duration, "10s", "", "time that this program has"},
    {"auth", "check_token", Kind::Program, "", "", "the same for XOAUTH2 and OAUTHBEARER, with the token for the password"},
    {"auth", "check_max", Kind::Count, "20", "", "passwords that are checked at once, for each worker; more wait in line"},
    {"auth", "failure_delay", Kind::Duration, "2s", "", "how late the first failed log-in of a session is answered; doubles with each that follows"},
    {"auth", "failure_delay_max", Kind::Duration, "30s", "", "longest such delay"},
    {"auth", "failure_max", Kind::Count, "3", "", "failed log-ins with which a session ends; 0: no limit"},
    {"auth", "failure_address_max", Kind::Count, "50", "", "failed log-ins from one address (IPv6: one /64) in failure_address_time; then nobody there is let try; 0: no limit"},
    {"auth", "failure_address_time", Kind::Duration, "10m", "", "how long such a failure counts"},

    {"rules", "path", Kind::List, "", "", "folders in which imported scripts are looked for, behind those of the importing and the main script"},
    {"rules", "on_error", Kind::Choice, "deny", "deny|tempfail|next", "what a rule that fails does before the message is queued; behind the queue the message is put off"},
    {"rules", "deny_closes", Kind::Flag, "yes", "", "a refusal by deny() closes the connection; no: at rcpt it refuses that recipient alone"},
    {"rules", "app_directory", Kind::Path, "/var/spool/vsmtp/app", "", "where write() and dump() of rules put their files"},
    {"rules", "state_directory", Kind::Path, "/var/spool/vsmtp/rules", "", "what rules of several processes share: rate counters, greylists"},
    {"rules", "rate_keys_max", Kind::Count, "65536", "", "keys whose rates are counted; a new table of rates gets room for so many, at 40 octets each"},
    {"rules", "operations_max", Kind::Count, "10000000", "", "operations of a directive; 0: no limit"},
    {"rules", "call_depth_max", Kind::Count, "128", "", "calls of functions in each other"},
    {"rules", "time_max", Kind::Duration, "10s", "", "time of a directive, without that in services; 0: no limit"},
    {"rules", "memory_max", Kind::Octets, "64m", "", "memory of the rules of a stage"},
    {"rules", "string_max", Kind::Octets, "16m", "", "longest text of a rule"},
    {"rules", "elements_max", Kind::Count, "1000000", "", "elements of an array or map of a rule"},

    {"authn", "authserv_id", Kind::Text, "", "", "who we are in Authentication-Results; foreign fields of that name are removed; empty: server.domain"},
    {"authn", "signatures_max", Kind::Count, "5", "", "DKIM signatures of a message that are verified, from the top"},
    {"authn", "key_bits_min", Kind::Count, "1024", "", "RSA keys of fewer bits do not count (RFC 8301)"},
    {"authn", "key_bits_max", Kind::Count, "8192", "", "nor those of more, which cost too much"},
    {"dkim", "selector", Kind::List, "", "", "selectors of dkim.private_key, one for each key: the record of the key is at SELECTOR._domainkey.DOMAIN"},
    {"dkim", "private_key", Kind::List, "", "", "PEM files with the keys that sign mail of authors whose domains have none of their own ([virtual]); each makes a signature"},
    {"dkim", "domain", Kind::Text, "", "", "domain that these keys sign for; empty: server.domain"},
    {"dkim", "headers", Kind::List, "", "", "fields that are signed where a message has them; empty: From and what readers, replies and lists go by"},
    {"dkim", "oversign", Kind::List, "", "", "fields that nobody shall add either; empty: From and what readers see, unless dkim.headers are given"},
    {"dkim", "canonicalization", Kind::Choice, "relaxed/relaxed", "relaxed/relaxed|relaxed/simple|simple/relaxed|simple/simple", "how header and body are signed: simple breaks by any change on the way"},
    {"dkim", "lifetime", Kind::Duration, "0", "", "how long signatures hold; 0: for good"},

    {"delivery", "recipient_delimiter", Kind::Text, "+", "", "what separates a user's name from an extension in a local part; empty: nothing does"},
    {"delivery", "local_domains", Kind::List, "", "", "domains whose mailboxes are here; .example.org for all names below it, * for all"},
    {"delivery", "srs_domain", Kind::Text, "", "", "domain of the reverse-path that mail from others' domains gets when it goes on to other hosts, and where its bounces come back (Sender Rewriting Scheme); empty: it keeps its own"},
    {"delivery", "srs_secret_file", Kind::Path, "", "", "file with a secret of 16 octets or more in each line; the first one signs such addresses, all are known"},
    {"delivery", "srs_hash_length", Kind::Count, "4", "", "characters of the signature in such an address, 4 to 27"},
    {"delivery", "srs_max_age", Kind::Duration, "21d", "", "how long bounces to such an address are taken, in whole days"},

    {"aliases", "files", Kind::List, "", "", "aliases(5) files, for the names of delivery.local_domains; one that ends in .cdb is compiled"},
    {"aliases", "virtual", Kind::List, "", "", "virtual maps, lines ADDRESS TARGET..., for addresses of any domain, @DOMAIN for all others of one"},
    {"aliases", "recipients", Kind::List, "", "", "files with the mailboxes of delivery.local_domains, a line each; where there are such, address-map --policy refuses all others that no map has"},
    {"aliases", "virtual_domains", Kind::List, "", "", "domains all of whose recipients are in the virtual maps: others are refused"},
    {"aliases", "expansion_max", Kind::Count, "1000", "", "recipients that one may become; more are an error of the maps"},
    {"aliases", "depth_max", Kind::Count, "50", "", "addresses that may lead to each other, one behind the other"},

    {"queue", "spool", Kind::Path, "/var/spool/vsmtp", "", "the queue: PATH or dir:PATH, or amqp://USER:PASSWORD@HOST:PORT,HOST:PORT/VHOST for one on RabbitMQ"},
    {"queue", "broker_prefix", Kind::Text, "vsmtp", "", "what the names of the queues on a broker begin with"},
    {"queue", "broker_password_file", Kind::Path, "", "", "file whose first line is the password for the broker; better than one in queue.spool"},
    {"queue", "broker_settling", Kind::Duration, "5s", "", "time that queues which were just made are left alone: a broker may forget new ones when it is killed"},
    {"queue", "broker_timeout", Kind::Duration, "30s", "", "time that the broker has for an answer, and to confirm a message"},
    {"queue", "broker_message_limit", Kind::Octets, "128m", "", "largest message, with its envelope, that the broker takes (max_message_size of RabbitMQ)"},
    {"queue", "broker_prefetch", Kind::Count, "200", "", "fresh messages that a queue-run has in hand of a broker, and as many that are tried again"},
    {"queue", "message_limit", Kind::Octets, "50m", "", "largest message that is taken"},
    {"queue", "hop_limit", Kind::Count, "100", "", "Received fields a message may have; more are a loop"},
    {"queue", "address_limit", Kind::Octets, "1000", "", "longest address of an envelope"},
    {"queue", "free_min", Kind::Octets, "16m", "", "free space on the disk of the spool below which smtpd puts messages off at MAIL, beside the size that the client tells; 0: no limit"},
    {"queue", "free_inodes_min", Kind::Count, "1000", "", "the same for inodes"},
    {"queue", "segment_size", Kind::Octets, "64m", "", "size of each file of the log of new messages"},
    {"queue", "log_message_limit", Kind::Octets, "256k", "", "larger messages get a file at once"},
    {"queue", "submission", Kind::Program, "", "", "chain that takes messages written by hand (sendmail), such as unix:SOCKET; empty: the spool"},
    {"queue", "log_segments", Kind::Count, "8", "", "segments of the log that old messages may hold; then they get files of their own"},
    {"queue", "local_transport", Kind::Program, "deliver-maildir", "", "delivers to delivery.local_domains: a program of the delivery call or unix:SOCKET"},
    {"queue", "remote_transport", Kind::Program, "deliver-remote", "", "delivers to all other domains: a program of the delivery call or unix:SOCKET"},
    {"queue", "remote_transport_urls", Kind::Flag, "yes", "", "whether it knows URLs as deliver-remote does; no: rules' forwards with a log-in, or TLS that must be, are deferred, since it would take the URL for a host"},
    {"queue", "rules", Kind::Program, "", "", "rules behind the queue: a chain of the message call, or unix:SOCKET, that sees each message before it is delivered; empty: none"},
    {"queue", "rules_stages", Kind::List, "postq delivery", "", "stages at which it is asked: postq, delivery"},
    {"queue", "rules_concurrency", Kind::Count, "100", "", "calls of it at once; at most queue.processes when it is a program and not unix:SOCKET"},
    {"queue", "rules_timeout", Kind::Duration, "2m", "", "limit of one call of it; then the message is put off"},
    {"queue", "delegation_time", Kind::Duration, "1h", "", "how long a content filter that rules delegate to may have a message; then it is lost there"},
    {"queue", "delegation_lost", Kind::Choice, "again", "again|hold|fail|drop", "a message that is lost at a content filter is handed over again, held, told its sender as undeliverable, or forgotten, since the filter may throw mail away"},
    {"queue", "recipients_per_call", Kind::Count, "100", "", "recipients of a message that go in one delivery call, at most"},
    {"queue", "local_concurrency", Kind::Count, "300", "", "local deliveries at once"},
    {"queue", "remote_concurrency", Kind::Count, "200", "", "remote deliveries at once"},
    {"queue", "destination_concurrency", Kind::Count, "20", "", "remote deliveries at once to one destination"},
    {"queue", "destination_concurrency_start", Kind::Count, "5", "", "the same for a destination of which nothing is known; one more with each call that gets through"},
    {"queue", "destination_rate_delay", Kind::Duration, "0", "", "least time between two remote deliveries to one destination"},
    {"queue", "processes", Kind::Count, "50", "", "local and remote calls at once, each, when their transport is a program and not unix:SOCKET"},
    {"queue", "delivery_timeout", Kind::Duration, "30m", "", "limit of one delivery call; then its program is killed and the mail put off"},
    {"queue", "retry_min", Kind::Duration, "5m", "", "least time between two attempts; it grows with the age of the message"},
    {"queue", "retry_max", Kind::Duration, "4h", "", "most time between two attempts"},
    {"queue", "lifetime", Kind::Duration, "5d", "", "age at which a message that cannot be delivered has failed"},
    {"queue", "destination_failures", Kind::Count, "3", "", "calls in a row that find a destination dead, until it is suspended"},
    {"queue", "destination_pause", Kind::Duration, "1m", "", "first suspension of a destination; doubles with each that follows"},
    {"queue", "destination_pause_max", Kind::Duration, "30m", "", "longest suspension of a destination"},
    {"queue", "transport_patience", Kind::Duration, "10s", "", "how long mail waits for a transport that cannot be called, before it is put off"},
    {"queue", "messages_max", Kind::Count, "50000", "", "messages that queue-run works on at once; the others wait on the disk"},
    {"queue", "metrics", Kind::List, "", "", "where queue-run gives its metrics, as OpenMetrics text: unix:PATH, ADDRESS:PORT, file:PATH"},
    {"queue", "bounce", Kind::Flag, "yes", "", "tell senders what becomes of their mail (RFC 3461); no: what cannot be delivered waits in dead/"},
    {"queue", "delay_warning", Kind::Duration, "4h", "", "age at which the sender of a message that is still being tried is told so; 0: never"},
    {"queue", "postmaster", Kind::Text, "", "", "address that is told when a message without a sender, as a bounce is, cannot be delivered; empty: it waits in dead/"},
    {"queue", "bounce_size_max", Kind::Octets, "50k", "", "of larger messages that cannot be delivered the header alone is returned"},
    {"queue", "bounce_recipients_max", Kind::Count, "1000", "", "recipients that one notification tells of; more get further ones"},
    {"queue", "bounce_templates", Kind::Path, "", "", "folder of texts for notifications: files failure, delay, success, double; empty: the built-in ones"},
    {"queue", "stop_timeout", Kind::Duration, "30s", "", "how long open deliveries may go on when queue-run is told to end"},

    {"transport", "program", Kind::Program, "", "", "what delivers: a program of the delivery call with its arguments, or unix:SOCKET"},
    {"transport", "host", Kind::Text, "", "", "HOST of its calls where no section [relay] says one; empty: the recipient's domain"},
    {"transport", "concurrency", Kind::Count, "100", "", "calls at once; of a program also no more than queue.processes"},
    {"transport", "destination_concurrency", Kind::Count, "20", "", "calls at once to one HOST"},
    {"transport", "recipients_per_call", Kind::Count, "0", "", "recipients of a message that go in one call, at most; 0: queue.recipients_per_call"},

    {"relay", "host", Kind::Text, "", "", "where mail for these domains (example.org, .example.org for all below it, * for all that is not local) goes, as remote.relay_host; empty: as if there were no section, or where the transport goes"},
    {"relay", "transport", Kind::Text, "", "", "name of what delivers it: local, remote, or that of a section [transport]; empty: remote, if there is a host"},
    {"relay", "error", Kind::Text, "", "", "mail for these domains goes nowhere: 5.7.1 TEXT fails it, 4.3.2 TEXT puts it off"},
    {"relay", "connections", Kind::Count, "0", "", "calls at once to the HOST of these domains; 0: as for its transport"},
    {"relay", "messages_per_minute", Kind::Count, "0", "", "calls to it in a minute, evenly, each with one message; 0: queue.destination_rate_delay"},
    {"relay", "tls_level", Kind::Choice, "may", "none|may|encrypt|fingerprint|verify|secure", "as remote.tls_level, for the hosts that mail for these domains goes to; this and the following as in [remote] if not given"},
    {"relay", "tls_wrapper", Kind::Flag, "no", "", "as remote.tls_wrapper"},
    {"relay", "tls_names", Kind::List, "", "", "as remote.tls_names"},
    {"relay", "tls_fingerprints", Kind::List, "", "", "as remote.tls_fingerprints"},
    {"relay", "tls_authorities", Kind::Path, "/etc/ssl/certs/ca-certificates.crt", "", "as remote.tls_authorities"},
    {"relay", "tls_certificate", Kind::Path, "", "", "as remote.tls_certificate"},
    {"relay", "tls_private_key", Kind::Path, "", "", "as remote.tls_private_key"},
    {"relay", "tls_version_min", Kind::Choice, "1.2", "1.2|1.3", "as remote.tls_version_min"},
    {"relay", "tls_cipher_suite", Kind::List, "", "", "as remote.tls_cipher_suite"},
    {"relay", "source", Kind::List, "", "", "as remote.source"},
    {"relay", "user", Kind::Text, "", "", "as remote.user"},
    {"relay", "password_file", Kind::Path, "", "", "as remote.password_file"},
    {"relay", "auth_mechanisms", Kind::List, "", "", "as remote.auth_mechanisms"},
    {"relay", "auth_in_clear", Kind::Flag, "no", "", "as remote.auth_in_clear"},

    {"maildir", "template", Kind::Path, "/srv/mail/{domain}/{local}/Maildir", "", "where a recipient's Maildir lies; {local} {user} {extension} {domain}"},
    {"maildir", "create", Kind::Flag, "no", "", "make a Maildir that is not there; no: such a recipient is unknown"},
    {"maildir", "unknown", Kind::Choice, "permanent", "permanent|temporary", "how a recipient without a Maildir is refused"},
    {"maildir", "line_end", Kind::Choice, "lf", "lf|crlf", "line end of the files"},
    {"maildir", "fold_case", Kind::Flag, "yes", "", "local parts in lower case; the domain always is"},
    {"maildir", "extension_delimiter", Kind::Text, "+", "", "what separates {user} from {extension} in a local part; empty: nothing does; delivery.recipient_delimiter where this is not set"},
    {"maildir", "missing_folder", Kind::Choice, "refuse", "refuse|inbox|create", "what becomes of a recipient with an extension that the template has a folder for, when that is not there: refused, delivered as without it, or the folder is made if there is a Maildir without it"},
    {"maildir", "catch_all", Kind::Path, "", "", "template of the Maildir for recipients that have none, such as /srv/mail/{domain}/others; empty: they are refused"},
    {"maildir", "mbox_template", Kind::Path, "/var/mail/{user}", "", "where a recipient's mbox file lies, for deliver-maildir --mbox; a template that begins with mbox: has such files too"},
    {"maildir", "mbox_locks", Kind::List, "fcntl dot", "", "how an mbox file is locked: fcntl, dot (FILE.lock); what other programs do that use it"},
    {"maildir", "mbox_lock_timeout", Kind::Duration, "10s", "", "how long a lock of another program is waited for, before the mail is put off"},
    {"maildir", "size_in_name", Kind::Flag, "yes", "", "file names tell the size, as Dovecot reads it: ,S=octets,W=octets with CRLF"},
    {"maildir", "open_max", Kind::Count, "256", "", "Maildirs that a resident program keeps open"},
    {"maildir", "batch_files", Kind::Count, "256", "", "files that a resident program writes before it syncs them together"},
    {"maildir", "gather", Kind::Duration, "25ms", "", "how long deliveries from the queue wait for others to share the next sync"},
    {"maildir", "direct_recipients_max", Kind::Count, "50", "", "--direct hands on what has more recipients"},

    {"pipe", "user", Kind::Text, "", "", "USER or USER:GROUP that commands of deliver-pipe run as; empty: who runs it, which must not be root"},
    {"pipe", "directory", Kind::Path, "", "", "folder that they run in; empty: that of who runs it"},
    {"pipe", "timeout", Kind::Duration, "1000s", "", "time that a command has; then it is killed and the mail put off"},
    {"pipe", "memory_max", Kind::Octets, "0", "", "memory that a command may have; 0: no limit"},
    {"pipe", "no_new_privileges", Kind::Flag, "no", "", "set-user-ID programs give commands no rights; some, as maildrop, need them"},
    {"pipe", "fields", Kind::List, "return-path delivered-to", "", "what is put in front of the message: from-line, return-path, delivered-to"},
    {"pipe", "line_end", Kind::Choice, "lf", "lf|crlf", "line end of what a command reads"},

    {"remote", "relay_host", Kind::Text, "", "", "where mail for all domains goes, as HOST: a name, [ADDRESS] or [NAME], with :PORT, or unix:PATH; empty: by MX"},
    {"remote", "port", Kind::Count, "25", "", "port where the host names none"},
    {"remote", "protocol", Kind::Choice, "smtp", "smtp|lmtp", "what is spoken to the host"},
    {"remote", "helo", Kind::Text, "", "", "our name in EHLO; empty: server.domain"},
    {"remote", "source", Kind::List, "", "", "addresses that connections come from; several of a family in turn; empty: the system chooses"},
    {"remote", "own_addresses", Kind::List, "", "", "IP addresses of this host that it does not see itself, as behind a NAT; a mail exchanger at one of them, or at smtp.listen, is this host"},
    {"remote", "address_family", Kind::Choice, "any", "any|ipv4|ipv6|prefer_ipv4|prefer_ipv6", "which addresses of a host are used, or tried first; any: in turn"},
    {"remote", "max_addresses", Kind::Count, "5", "", "addresses of a destination that are tried for one message"},
    {"remote", "pipelining", Kind::Flag, "yes", "", "use PIPELINING where it is offered"},
    {"remote", "chunking", Kind::Flag, "no", "", "send by BDAT where CHUNKING is offered: a small message without waiting for its recipients to be taken"},
    {"remote", "xforward_hosts", Kind::List, "", "", "addresses and networks of hosts, such as content filters, that are told who the client was (XFORWARD) if they offer it"},
    {"remote", "eight_bit", Kind::Choice, "convert", "convert|refuse|send", "a message with 8-bit octets for a host without 8BITMIME: in quoted-printable, 5.6.3, or sent as it is"},
    {"remote", "dead_host_time", Kind::Duration, "1m", "", "how long a resident program tries an address that did not answer behind others; 0: not at all"},
    {"remote", "recipients_max", Kind::Count, "100", "", "recipients of one transaction; more get another one"},
    {"remote", "connections_max", Kind::Count, "500", "", "connections at once of a resident program; more deliveries wait"},
    {"remote", "reuse", Kind::Flag, "yes", "", "a resident program keeps a connection for the next message to the same address"},
    {"remote", "reuse_idle", Kind::Duration, "2s", "", "how long such a connection waits for it"},
    {"remote", "reuse_max", Kind::Count, "100", "", "messages that one connection carries"},
    {"remote", "reuse_time", Kind::Duration, "5m", "", "age up to which a connection gets further messages"},
    {"remote", "tls_level", Kind::Choice, "may", "none|may|encrypt|fingerprint|verify|secure", "mail goes in clear, under TLS where it is offered, only under TLS, only to hosts with one of tls_fingerprints, only to hosts whose certificate is trusted and names the host, or the destination"},
    {"remote", "tls_wrapper", Kind::Flag, "no", "", "TLS begins with the connection, as on port 465, and not with STARTTLS; then it is required"},
    {"remote", "tls_names", Kind::List, "", "", "names of which the certificate must have one under verify and secure, .example.org for all below; empty: of the host, and of the destination or below it"},
    {"remote", "tls_fingerprints", Kind::List, "", "", "SHA-256 of certificates or their public keys, hexadecimal, for the level fingerprint"},
    {"remote", "tls_authorities", Kind::Path, "/etc/ssl/certs/ca-certificates.crt", "", "PEM file, or folder of such, with the certificates of who signs those of hosts; read when it is needed"},
    {"remote", "tls_certificate", Kind::Path, "", "", "PEM file with a certificate of ours for hosts that ask for one"},
    {"remote", "tls_private_key", Kind::Path, "", "", "PEM file with its key; empty: it stands in the file of the certificate"},
    {"remote", "tls_version_min", Kind::Choice, "1.2", "1.2|1.3", "least version of TLS"},
    {"remote", "tls_cipher_suite", Kind::List, "", "", "cipher suites by the names of IANA, best first; empty: all that protect"},
    {"remote", "tls_sessions_max", Kind::Count, "1000", "", "TLS sessions that a resident program remembers to resume them; 0: none"},
    {"remote", "user", Kind::Text, "", "", "name to log in with at the host (AUTH); empty: no log-in"},
    {"remote", "password_file", Kind::Path, "", "", "file with the password in its first line, which only its owner may read"},
    {"remote", "auth_mechanisms", Kind::List, "", "", "mechanisms that may be used; empty: SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN, the first that is offered"},
    {"remote", "auth_in_clear", Kind::Flag, "no", "", "show the password (PLAIN, LOGIN) without TLS too"},
    {"remote", "timeout_tls", Kind::Duration, "5m", "", "until STARTTLS is answered, and for each step of the handshake behind it"},
    {"remote", "timeout_auth", Kind::Duration, "5m", "", "until a step of the log-in is answered"},
    {"remote", "timeout_connect", Kind::Duration, "30s", "", "until a connection to one address is made"},
    {"remote", "timeout_greeting", Kind::Duration, "5m", "", "until the server greets (RFC 5321 4.5.3.2)"},
    {"remote", "timeout_helo", Kind::Duration, "5m", "", "until EHLO or HELO is answered"},
    {"remote", "timeout_mail", Kind::Duration, "5m", "", "until MAIL is answered"},
    {"remote", "timeout_rcpt", Kind::Duration, "5m", "", "until a RCPT is answered"},
    {"remote", "timeout_data", Kind::Duration, "2m", "", "until DATA is answered"},
    {"remote", "timeout_block", Kind::Duration, "3m", "", "until the server has taken a block of the message"},
    {"remote", "timeout_message", Kind::Duration, "10m", "", "until the end of the message is answered"},
    {"remote", "timeout_quit", Kind::Duration, "2s", "", "until QUIT is answered; nothing depends on it"},

    {"dns", "server", Kind::List, "", "", "DNS servers, ADDRESS or ADDRESS@PORT; empty: those of dns.resolv_conf; none: ask from the root on"},
    {"dns", "resolv_conf", Kind::Path, "/etc/resolv.conf", "", "file that names the DNS servers"},
    {"dns", "stub", Kind::List, "", "", "zones that are asked elsewhere, ZONE=ADDRESS or ZONE=ADDRESS@PORT"},
    {"dns", "trust_anchor", Kind::Path, "", "", "file with DS or DNSKEY records of the root; empty: DNSSEC is not checked"},
    {"dns", "timeout", Kind::Duration, "30s", "", "until a question to DNS is answered"},

    {"mime", "message_max", Kind::Octets, "1g", "", "largest message that mime-check reads"},
    {"mime", "depth_max", Kind::Count, "50", "", "MIME parts inside of parts; deeper ones are not looked into"},
    {"mime", "parts_max", Kind::Count, "10000", "", "MIME parts of a message that are looked at"},
    {"mime", "fields_max", Kind::Count, "50000", "", "header fields of a message that are looked at, those of its parts counted in"},
    {"mime", "findings_max", Kind::Count, "100", "", "findings of a message that are shown; all are counted"},
    {"mime", "findings_of_a_kind_max", Kind::Count, "10", "", "findings of one kind that are shown"},

    {"log", "level", Kind::Choice, "info", "debug|info|warning|error", "least level that is logged"},
    {"log", "format", Kind::Choice, "text", "text|json", "form of the log lines"},
    {"log", "destination", Kind::Text, "", "", "where the log goes: empty is standard error, 'syslog', or a file"},
});

std::string full_name(std::string_view section, std::string_view key) {
  return std::string(section) + "." + std::string(key);
}

// Sections with a name behind theirs.
constexpr auto kNamedSections = std::to_array<std::string_view>({"virtual", "transport", "relay"});

// `virtual "example.org"` -> {`virtual`, `example.org`}; a section without a name: {`smtp`, ``}.
std::pair<std::string_view, std::string_view> split_section(std::string_view section) {
  const auto [kind, quoted] = text::split_once(section, ' ');
  if (quoted.size() < 3 || !quoted.starts_with('"') || !quoted.ends_with('"')) return {section, {}};
  return {kind, quoted.substr(1, quoted.size() - 2)};
}

std::string expected_of(const Setting& setting) {
  switch (setting.kind) {
    case Kind::Flag: return "yes or no";
    case Kind::Count: return "a whole number";
    case Kind::Octets: return "a number of octets, such as 20m (k, m and g are factors of 1024)";
    case Kind::Duration: return "a duration, such as 5m (ms, s, m, h, d, w)";
    case Kind::Choice: {
      std::string words(setting.choices);
      std::ranges::replace(words, '|', ' ');
      return "one of: " + words;
    }
    case Kind::Text:
    case Kind::Path:
    case Kind::List:
    case Kind::Lines:
    case Kind::Program: break;
  }
  return "text";
}

bool is_of_kind(const Setting& setting, std::string_view value) {
  switch (setting.kind) {
    case Kind::Flag: return value == "yes" || value == "no";
    case Kind::Count: return text::parse_number<std::uint64_t>(value).has_value();
    case Kind::Octets: return text::parse_octets(value).has_value();
    case Kind::Duration: return text::parse_duration_milliseconds(value).has_value();
    case Kind::Choice: {
      const auto choices = text::split(setting.choices, '|');
      return std::ranges::find(choices, value) != choices.end();
    }
    case Kind::Text:
    case Kind::Path:
    case Kind::List:
    case Kind::Lines:
    case Kind::Program: break;
  }
  return value.find('\0') == std::string_view::npos;
}

std::string keys_of(std::string_view section) {
  std::string keys;
  for (const auto& setting : kSettings)
    if (setting.section == section) keys += " " + std::string(setting.key);
  return keys;
}

std::string known_sections() {
  std::set<std::string> sections;
  for (const auto& setting : kSettings) sections.insert("[" + std::string(setting.section) + (is_named_section(setting.section) ? " \"NAME\"]" : "]"));
  std::string text;
  for (const auto& section : sections) text += " " + section;
  return text;
}

// What inih's callbacks share while a file is read. inih gives no line numbers to its handler, so the reader counts.
struct Reading {
  std::FILE* file;
  std::string path;
  Settings* settings;
  int line = 0;
  std::string section;  // inih cuts long ones
  std::string mistakes;

  void mistake(const std::string& what) {
    if (!mistakes.empty()) mistakes += '\n';
    mistakes += path + ":" + std::to_string(line) + ": " + what;
  }
};

char* read_line(char* buffer, int size, void* stream) {
  auto& reading = *static_cast<Reading*>(stream);
  if (std::fgets(buffer, size, reading.file) == nullptr) return nullptr;
  ++reading.line;
  const std::string_view line(buffer);
  if (line.size() + 1 == static_cast<std::size_t>(size) && !line.ends_with('\n')) {
    reading.mistake("line of more than " + std::to_string(size - 2) + " octets; expected: go on in a new line that begins with a blank");
    for (int c = std::fgetc(reading.file); c != EOF && c != '\n';) c = std::fgetc(reading.file);
  }
  if (const auto trimmed = text::trim(line); trimmed.starts_with('[')) {
    reading.section = trimmed.substr(1, trimmed.find(']') - 1);
    const auto [kind, name] = split_section(reading.section);
    if (is_named_section(kind) && !name.empty()) reading.settings->open_named(reading.section);
  }
  return buffer;
}

int on_value(void* user, const char*, const char* key, const char* value) {
  auto& reading = *static_cast<Reading*>(user);
  const std::string& section = reading.section;
  if (Settings::kFreeSection == section) {
    reading.settings->set_free(key, value);
    return 1;
  }
  const Setting* setting = find_setting(full_name(section, key));
  if (setting == nullptr) {
    const auto [kind, name] = split_section(section);
    const std::string keys = is_named_section(kind) == !name.empty() ? keys_of(kind) : std::string();
    if (keys.empty()) {
      reading.mistake("unknown section [" + section + "]; expected:" + known_sections());
    } else {
      reading.mistake("unknown key '" + std::string(key) + "' in [" + section + "]; expected:" + keys);
    }
    return 1;
  }
  const auto set = reading.settings->set(*setting, value, section);
  if (!set) reading.mistake(set.error().cause);
  reading.settings->note_place(full_name(section, key), reading.path + ":" + std::to_string(reading.line) + ": ");
  return 1;
}

}  // namespace

bool is_named_section(std::string_view section) { return std::ranges::find(kNamedSections, section) != kNamedSections.end(); }

std::span<const Setting> all_settings() { return kSettings; }

const Setting* find_setting(std::string_view full) {
  const auto dot = full.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  const auto [section, name] = split_section(full.substr(0, dot));
  const auto key = full.substr(dot + 1);
  if (is_named_section(section) == name.empty()) return nullptr;
  for (const auto& setting : kSettings)
    if (setting.section == section && setting.key == key) return &setting;
  return nullptr;
}

Result<void> check_value(const Setting& setting, std::string_view value) {
  if (is_of_kind(setting, value)) return {};
  return fail(Fault::Config, "bad value '" + text::printable(value) + "' for " + full_name(setting.section, setting.key) + "; expected: " + expected_of(setting));
}

Result<void> Settings::read(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) return fail_errno("open " + path, Fault::Config);
  Reading reading{file.get(), path, this, 0, {}, {}};
  const int bad_line = ::ini_parse_stream(read_line, &reading, on_value, &reading);
  if (std::ferror(file.get()) != 0) return fail_errno("read " + path, Fault::Config);  // a folder can be opened
  if (bad_line != 0 && reading.mistakes.empty()) {
    reading.line = bad_line;
    reading.mistake("neither [section] nor key = value");
  }
  if (!reading.mistakes.empty()) return fail(Fault::Config, reading.mistakes);
  return {};
}

Result<void> Settings::set(const Setting& setting, std::string_view value) {
  places_.erase(full_name(setting.section, setting.key));  // no file is to blame
  return set(setting, value, setting.section);
}

Result<void> Settings::set(const Setting& setting, std::string_view value, std::string_view section) {
  const auto checked = check_value(setting, value);
  if (!checked) return checked;
  const std::string name = full_name(section, setting.key);
  auto& slot = given_[name];
  // inih calls once for each continuation line, and a List may be given by several options. A key of Lines that stands in the file
  // twice is like one that goes on.
  const bool adds = (setting.kind == Kind::List || setting.kind == Kind::Program) && !slot.empty();
  if (setting.kind == Kind::Lines && !slot.empty() && places_.contains(name)) {
    slot.append("\n").append(value);
  } else {
    slot = adds ? slot + " " + std::string(value) : std::string(value);
  }
  return {};
}

void Settings::set_free(std::string_view key, std::string_view value) { given_[full_name(kFreeSection, key)] = value; }

std::vector<std::pair<std::string, std::string>> Settings::free_values() const {
  std::vector<std::pair<std::string, std::string>> values;
  const std::string front = full_name(kFreeSection, "");
  for (auto row = given_.lower_bound(front); row != given_.end() && row->first.starts_with(front); ++row)
    values.emplace_back(row->first.substr(front.size()), row->second);
  return values;
}

std::string Settings::named(std::string_view section, std::string_view name, std::string_view key) {
  return full_name(std::string(section) + " \"" + std::string(name) + "\"", key);
}

std::vector<std::string> Settings::names(std::string_view section) const {
  std::vector<std::string> names;
  const std::string front = std::string(section) + " \"";
  for (auto row = given_.lower_bound(front); row != given_.end() && row->first.starts_with(front); ++row) {
    const auto [kind, name] = split_section(std::string_view(row->first).substr(0, row->first.rfind('.')));
    if (names.empty() || names.back() != name) names.emplace_back(name);
  }
  return names;
}

// A key without a name, which no file can give.
void Settings::open_named(std::string_view section) { given_.try_emplace(full_name(section, "")); }

std::string Settings::place_of(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? std::string() : place->second;
}

// Of several lines the first.
void Settings::note_place(std::string_view name, std::string place) { places_.try_emplace(std::string(name), std::move(place)); }

void Settings::forget(const Setting& setting) { given_.erase(full_name(setting.section, setting.key)); }

const std::string& Settings::text(std::string_view name) const {
  static const auto standards = [] {
    std::array<std::string, kSettings.size()> all;
    std::ranges::transform(kSettings, all.begin(), [](const Setting& setting) { return std::string(setting.standard); });
    return all;
  }();
  if (const auto given = given_.find(name); given != given_.end()) return given->second;
  const Setting* setting = find_setting(name);
  assert(setting != nullptr);
  return standards[static_cast<std::size_t>(setting - kSettings.data())];
}

bool Settings::flag(std::string_view name) const { return text(name) == "yes"; }

std::uint64_t Settings::count(std::string_view name) const {
  const auto value = text::parse_number<std::uint64_t>(text(name));
  assert(value);
  return *value;
}

std::uint64_t Settings::octets(std::string_view name) const {
  const auto value = text::parse_octets(text(name));
  assert(value);
  return *value;
}

std::uint64_t Settings::milliseconds(std::string_view name) const {
  const auto value = text::parse_duration_milliseconds(text(name));
  assert(value);
  return *value;
}

std::vector<std::string> Settings::words(std::string_view name) const {
  std::vector<std::string> words;
  for (const auto line : text::split(text(name), '\n'))
    for (const auto word : text::split(line, ' '))
      if (!text::trim(word).empty()) words.emplace_back(text::trim(word));
  return words;
}

bool Settings::is_given(std::string_view name) const { return given_.find(name) != given_.end(); }

}  // namespace base
