// What a program of ours does once it serves: it reads and writes what is open, opens files (Landlock says which), makes sockets and
// threads, waits. It starts no program, makes no memory executable, traces, mounts and signals nobody, and changes no rights.
#include "lib/base/seccomp.h"

#include <asm/ioctls.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace base {

#if defined(__x86_64__) || defined(__aarch64__)
namespace {

#ifdef __x86_64__
constexpr std::uint32_t kMachine = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kMachine = AUDIT_ARCH_AARCH64;
#endif

// Calls that are made as they like; by subject. Those that only older machines have stand last.
constexpr auto kAllowed = std::to_array<long>({
    // what is open
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_lseek, SYS_close,
    SYS_close_range, SYS_dup, SYS_dup3, SYS_fcntl, SYS_flock, SYS_fsync, SYS_fdatasync, SYS_sync_file_range, SYS_ftruncate, SYS_fallocate, SYS_fadvise64,
    SYS_syncfs, SYS_fstat, SYS_fstatfs, SYS_sendfile, SYS_splice, SYS_copy_file_range, SYS_fchmod, SYS_fchown,
    // files: which, Landlock says
    SYS_openat, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_getdents64, SYS_getcwd, SYS_unlinkat,
    SYS_renameat, SYS_renameat2, SYS_linkat, SYS_mkdirat, SYS_umask, SYS_utimensat, SYS_memfd_create,
    // sockets
    SYS_connect, SYS_accept4, SYS_accept, SYS_bind, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg, SYS_shutdown,
    SYS_getsockname, SYS_getpeername, SYS_socketpair, SYS_setsockopt, SYS_getsockopt,
    // waiting
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_ppoll, SYS_pselect6, SYS_pipe2, SYS_eventfd2, SYS_timerfd_create,
    SYS_timerfd_settime, SYS_timerfd_gettime, SYS_nanosleep, SYS_clock_nanosleep, SYS_futex, SYS_restart_syscall, SYS_wait4, SYS_waitid,
    // time, chance, who and where
    SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_getrandom, SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid,
    SYS_getegid, SYS_uname, SYS_sysinfo, SYS_getrusage, SYS_times,
    // memory
    SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mincore, SYS_msync, SYS_membarrier,
    // threads and signals of our own
    SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_rseq, SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_getparam,
    SYS_sched_getscheduler, SYS_exit, SYS_exit_group, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigtimedwait,
    SYS_rt_sigsuspend, SYS_sigaltstack,
#ifdef __x86_64__
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_unlink, SYS_rename, SYS_link, SYS_mkdir, SYS_rmdir, SYS_poll, SYS_select, SYS_epoll_create,
    SYS_epoll_wait, SYS_pipe, SYS_eventfd, SYS_dup2, SYS_time, SYS_getrlimit, SYS_alarm,
#endif
});

// For which libraries have another way when the kernel is too old for them.
constexpr std::uint32_t kClone3 = 435, kIoUringSetup = 425, kFutexWaitv = 449;
constexpr std::uint32_t kPrSetVma = 0x53564d41;  // names of malloc's memory

// Instructions of the filter. The call's number is in the accumulator between two rules.
class Program {
 public:
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)); }
  void answer(std::uint32_t what) { add(BPF_RET | BPF_K, 0, 0, what); }
  void load_number() { load(offsetof(seccomp_data, nr)); }

  void answer_if_number(long number, std::uint32_t what) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(number));
    answer(what);
  }
  // Calls of another machine (32 bits) and of x32 have other numbers.
  void answer_unless_machine() {
    add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, kMachine);
    answer(SECCOMP_RET_KILL_PROCESS);
  }
  // Allowed if the low half of the argument is one of these, else refused.
  void allow_values(long number, unsigned argument, std::initializer_list<std::uint32_t> values) {
    begin(number, 1 + 2 * values.size() + 1);
    load(low_half(argument));
    for (const auto value : values) {
      add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
      answer(SECCOMP_RET_ALLOW);
    }
    answer(SECCOMP_RET_TRAP);
  }
  // Allowed if these bits of the argument are set, or not.
  void allow_bits(long number, unsigned argument, std::uint32_t bits, bool are_set) {
    begin(number, 4);
    load(low_half(argument));
    add(BPF_JMP | BPF_JSET | BPF_K, are_set ? 0 : 1, are_set ? 1 : 0, bits);
    answer(SECCOMP_RET_ALLOW);
    answer(SECCOMP_RET_TRAP);
  }
  void allow_null(long number, unsigned argument) {
    begin(number, 6);
    load(low_half(argument));
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0);
    load(low_half(argument) + 4);
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    answer(SECCOMP_RET_ALLOW);
    answer(SECCOMP_RET_TRAP);
  }
  [[nodiscard]] sock_fprog system() { return {static_cast<unsigned short>(code_.size()), code_.data()}; }

 private:
  static std::size_t low_half(unsigned argument) { return offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t); }  // both machines: it comes first
  void begin(long number, std::size_t length) { add(BPF_JMP | BPF_JEQ | BPF_K, 0, static_cast<std::uint8_t>(length), static_cast<std::uint32_t>(number)); }
  void add(int code, std::uint8_t if_true, std::uint8_t if_false, std::uint32_t value) {
    code_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, value});
  }
  std::vector<sock_filter> code_;
};

Program program(bool names_interfaces) {
  Program filter;
  filter.load(offsetof(seccomp_data, arch));
  filter.answer_unless_machine();
  filter.load_number();
  for (const long number : kAllowed) filter.answer_if_number(number, SECCOMP_RET_ALLOW);
  for (const auto number : {kClone3, kIoUringSetup, kFutexWaitv}) filter.answer_if_number(number, SECCOMP_RET_ERRNO | ENOSYS);
  filter.allow_values(SYS_socket, 0, {AF_UNIX, AF_INET, AF_INET6});
  filter.allow_values(SYS_ioctl, 1, {FIONBIO, FIONREAD, FIOCLEX, TCGETS, names_interfaces ? std::uint32_t{SIOCGIFINDEX} : FIONBIO});  // else what stands there already
  filter.allow_values(SYS_prctl, 0, {PR_SET_NAME, PR_GET_NAME, kPrSetVma});
  filter.allow_values(SYS_tgkill, 0, {static_cast<std::uint32_t>(::getpid())});  // abort(3)
  filter.allow_bits(SYS_clone, 0, CLONE_THREAD, true);
  filter.allow_bits(SYS_mmap, 2, PROT_EXEC, false);
  filter.allow_bits(SYS_mprotect, 2, PROT_EXEC, false);
  filter.allow_null(SYS_prlimit64, 2);  // asked, not set
  filter.answer(SECCOMP_RET_TRAP);
  return filter;
}

// Of SIGSYS: the call was not made. Only what is safe in a handler.
void tell_of_refusal(int, siginfo_t* info, void* context) {
  const int kept = errno;
  std::array<char, 96> line{};
  std::size_t size = 0;
  const auto put = [&](const char* text) {
    while (*text != '\0') line[size++] = *text++;
  };
  const auto put_number = [&](unsigned number) {
    std::array<char, 12> digits{};
    char* at = digits.data() + digits.size() - 1;
    do *--at = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    put(at);
  };
  put("sandbox: process ");
  put_number(static_cast<unsigned>(::getpid()));
  put(": system call ");
  put_number(static_cast<unsigned>(info->si_syscall));
  put(" refused\n");
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), size);
  auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#ifdef __x86_64__
  machine.gregs[REG_RAX] = -EPERM;
#else
  machine.regs[0] = static_cast<std::uint64_t>(-EPERM);
#endif
  errno = kept;
}

}  // namespace

Result<bool> filter_system_calls(bool names_interfaces) {
  struct sigaction action = {};
  action.sa_sigaction = tell_of_refusal;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return fail_errno("sigaction SIGSYS");
  auto filter = program(names_interfaces);
  const sock_fprog code = filter.system();
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &code) == 0) return true;
  if (errno == ENOSYS || errno == EINVAL) return false;  // built without it
  return fail_errno("seccomp");
}

#else

Result<bool> filter_system_calls(bool) { return false; }

#endif

}  // namespace base
