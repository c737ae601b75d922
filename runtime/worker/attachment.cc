#include "runtime/worker/attachment.h"

#include <grpcpp/grpcpp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/version.h"
#include "proto/worker.grpc.pb.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;

using Stream = grpc::ClientReaderWriter<pb::WorkerMessage, pb::WorkerCommand>;

namespace {

constexpr absl::Duration kRedialFirst = absl::Milliseconds(100);
constexpr absl::Duration kRedialMax = absl::Seconds(1);
// How long one attempt to connect may take. A coordinator on a busy machine may need its time.
constexpr int kConnectMilliseconds = 5000;
constexpr int kMessageBytesMax = 64 << 20;
// How long the writer waits for a message before it looks whether the stream still stands.
constexpr absl::Duration kLookInterval = absl::Milliseconds(200);
// A coordinator that stays away is complained of this often.
constexpr absl::Duration kComplainInterval = absl::Seconds(30);

// Short back-off: a coordinator that restarts is away for a second, not for a minute.
std::shared_ptr<grpc::Channel> Dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMilliseconds);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Never a connection that another attachment of this process left behind.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// Codes with which a coordinator says that coming again is of no use.
bool IsFinal(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::FAILED_PRECONDITION ||
         status.error_code() == grpc::StatusCode::PERMISSION_DENIED ||
         status.error_code() == grpc::StatusCode::ALREADY_EXISTS;
}

}  // namespace

// The writing side of a stream, which takes one message at a time; and its heartbeat.
class Attachment::StreamWriter {
 public:
  explicit StreamWriter(Stream& stream) : stream_(stream), end_fd_(::eventfd(0, EFD_CLOEXEC)) {
    RM_CHECK(end_fd_ >= 0, "eventfd: errno ", errno);
    heart_ = std::thread([this] { Beat(); });
  }
  // The stream has ended, or is about to: a heartbeat that hangs in a write comes back then.
  ~StreamWriter() {
    const uint64_t one = 1;
    RM_CHECK(::write(end_fd_, &one, sizeof(one)) == sizeof(one), "eventfd: errno ", errno);
    heart_.join();
    ::close(end_fd_);
  }
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;

  // False: the stream is broken.
  bool Write(const pb::WorkerMessage& message) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stream_.Write(message);
  }
  // Nothing is written after it.
  void Close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    stream_.WritesDone();
  }

 private:
  // Until the end, or until the stream is broken.
  void Beat() {
    const base::Clock& clock = base::RealClock();
    pollfd end = {end_fd_, POLLIN, 0};
    absl::Duration next = clock.Monotonic();
    pb::WorkerMessage beat;
    for (int64_t sequence = 0;;) {
      if (std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock); lock.owns_lock()) {
        beat.mutable_heartbeat()->set_sequence(++sequence);
        if (closed_ || !stream_.Write(beat)) return;
      }
      // A beat that came late does not make the next ones come in a burst.
      next = std::max(next + kHeartbeatInterval, clock.Monotonic());
      const absl::Duration left = next - clock.Monotonic();
      if (::poll(&end, 1, static_cast<int>(absl::ToInt64Milliseconds(left))) > 0) return;
    }
  }

  Stream& stream_;
  const int end_fd_;
  std::mutex mutex_;     // std: the heartbeat only tries
  bool closed_ = false;  // guarded by mutex_
  std::thread heart_;
};

Attachment::Attachment(const WorkerOptions& options, Outbox& outbox,
                       std::function<void(pb::WorkerCommand)> on_command)
    : options_(options),
      outbox_(outbox),
      on_command_(std::move(on_command)),
      not_attached_(kComplainInterval),
      prober_([](const std::string& path) { return base::PosixFileSystem().ReadFile(path); },
              [&outbox](pb::StorageProbe probe) {
                pb::WorkerMessage message;
                *message.mutable_storage_probe() = std::move(probe);
                outbox.Push(std::move(message));
              }) {}

Attachment::~Attachment() { Stop(); }

void Attachment::Start() {
  thread_ = std::thread([this] { Run(); });
}

// The stream is cut, not drained: the coordinator then knows at once that this worker is gone.
void Attachment::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopped_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.SignalAll();
  }
  outbox_.Close();
  if (thread_.joinable()) thread_.join();
}

absl::Status Attachment::refusal() {
  base::MutexLock lock(mutex_);
  return refusal_;
}

// Dials for ever, until stopped or refused for good; the pause grows while nobody welcomes us.
void Attachment::Run() {
  absl::Duration pause = kRedialFirst / 2;
  while (!outbox_.closed()) {
    pause = AttachOnce() ? kRedialFirst : std::min(pause * 2, kRedialMax);
    const absl::Duration redial = base::RealClock().Monotonic() + pause;
    base::MutexLock lock(mutex_);
    while (!stopped_ && refusal_.ok()) {
      const absl::Duration left = redial - base::RealClock().Monotonic();
      if (left <= absl::ZeroDuration()) break;
      changed_.WaitFor(mutex_, left);
    }
    if (stopped_ || !refusal_.ok()) return;
  }
}

bool Attachment::AttachOnce() {
  grpc::ClientContext context;
  {
    base::MutexLock lock(mutex_);
    if (stopped_) return false;
    context_ = &context;
    stream_ = StreamState();
  }
  const auto stub = pb::Workers::NewStub(Dial(options_.coordinator));
  const std::unique_ptr<Stream> stream = stub->Attach(&context);
  std::thread reader([&] { ReadCommands(*stream); });
  // A write fails only when the stream has ended, and then the reader ends too; so does a Stop, which
  // cancels. No cancelling here: it would hide the status that the coordinator ended the stream with.
  if (stream->Write(MakeHello())) {
    StreamWriter writer(*stream);
    WriteUntilBroken(writer);
  }
  reader.join();
  NoteEnd(stream->Finish());
  base::MutexLock lock(mutex_);
  context_ = nullptr;
  return stream_.welcomed;
}

void Attachment::ReadCommands(Stream& stream) {
  pb::WorkerCommand command;
  while (stream.Read(&command)) {
    if (command.has_welcome()) {
      OnWelcome(command.welcome());
    } else {
      on_command_(std::move(command));
    }
    command.Clear();
  }
  base::MutexLock lock(mutex_);
  stream_.broken = true;
  changed_.SignalAll();
}

// The storage is looked at on the way: the answer follows when there is one.
void Attachment::OnWelcome(const pb::Welcome& welcome) {
  {
    base::MutexLock lock(mutex_);
    stream_.welcomed = true;
    not_attached_.Over();
    changed_.SignalAll();
  }
  base::LogInfo("attached to coordinator ", options_.coordinator);
  prober_.Ask(welcome.probe_path());
}

// Heartbeats fill the gaps between messages, from a thread of their own.
void Attachment::WriteUntilBroken(StreamWriter& writer) {
  while (!IsBroken()) {
    if (outbox_.closed()) return writer.Close();  // leaving: the other side sees it at once
    auto message = NextMessage(kLookInterval);
    if (!message.has_value() || writer.Write(*message)) continue;
    outbox_.PutBack(*std::move(message));
    return;
  }
}

std::optional<pb::WorkerMessage> Attachment::NextMessage(absl::Duration timeout) {
  {
    base::MutexLock lock(mutex_);
    if (stream_.broken) return std::nullopt;
    if (!stream_.welcomed) {
      if (timeout > absl::ZeroDuration()) changed_.WaitFor(mutex_, timeout);
      return std::nullopt;
    }
  }
  return outbox_.Pop(timeout);
}

bool Attachment::IsBroken() {
  base::MutexLock lock(mutex_);
  return stream_.broken;
}

// What the end of a stream means: nothing when we stopped, a refusal, or a break to be mended.
void Attachment::NoteEnd(const grpc::Status& status) {
  const std::string why =
      status.error_message().empty() ? "the stream ended" : status.error_message();
  std::function<void()> on_refused;
  {
    base::MutexLock lock(mutex_);
    if (stopped_) return;
    if (IsFinal(status)) {
      refusal_ = absl::FailedPreconditionError(
          absl::StrCat("coordinator ", options_.coordinator, " refuses this worker: ", why));
      on_refused = on_refused_;
    } else if (const auto away = not_attached_.Due(why, base::RealClock().Monotonic())) {
      base::LogWarning("not attached to coordinator ", options_.coordinator,
                       *away > absl::ZeroDuration()
                           ? absl::StrCat(" for ", absl::FormatDuration(absl::Trunc(
                                                       *away, absl::Seconds(1))))
                           : "",
                       ": ", why, "; ranks go on, dialling again");
    }
  }
  if (on_refused) on_refused();
}

// Who we are and what we run: the coordinator compares it with its journal.
pb::WorkerMessage Attachment::MakeHello() {
  pb::WorkerMessage message;
  pb::Hello& hello = *message.mutable_hello();
  hello.set_worker_id(options_.id);
  hello.set_host(options_.host);
  hello.set_version(std::string(base::kVersion));
  hello.set_slots(static_cast<int32_t>(options_.slots));
  hello.mutable_labels()->insert(options_.labels.begin(), options_.labels.end());
  hello.set_advertise_host(options_.advertise);
  hello.set_pid(::getpid());
  for (const pb::RankRef& rank : outbox_.Replay()) *hello.add_running() = rank;
  return message;
}

}  // namespace rm::worker
