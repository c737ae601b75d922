#include "runtime/worker/attachment.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
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

Attachment::Attachment(const WorkerOptions& options, Outbox& outbox,
                       std::function<void(pb::WorkerCommand)> on_command)
    : options_(options), outbox_(outbox), on_command_(std::move(on_command)) {}

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
  if (stream->Write(MakeHello())) WriteUntilBroken(*stream);
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
      base::MutexLock lock(mutex_);
      stream_.welcomed = true;
      last_error_.clear();
      changed_.SignalAll();
      base::LogInfo("attached to coordinator ", options_.coordinator);
    } else {
      on_command_(std::move(command));
    }
    command.Clear();
  }
  base::MutexLock lock(mutex_);
  stream_.broken = true;
  changed_.SignalAll();
}

// Heartbeats fill the gaps between messages.
void Attachment::WriteUntilBroken(Stream& stream) {
  const base::Clock& clock = base::RealClock();
  absl::Duration next_beat = clock.Monotonic();
  for (int64_t sequence = 1; !IsBroken();) {
    if (outbox_.closed()) {  // leaving: the other side sees it at once
      stream.WritesDone();
      return;
    }
    const absl::Duration now = clock.Monotonic();
    if (now >= next_beat) {
      pb::WorkerMessage beat;
      beat.mutable_heartbeat()->set_sequence(sequence++);
      if (!stream.Write(beat)) return;
      next_beat = now + kHeartbeatInterval;
    }
    auto message = NextMessage(next_beat - clock.Monotonic());
    if (!message.has_value() || stream.Write(*message)) continue;
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
    } else if (why != last_error_) {
      base::LogWarning("not attached to coordinator ", options_.coordinator, ": ", why,
                       "; ranks go on, dialling again");
      last_error_ = why;
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
