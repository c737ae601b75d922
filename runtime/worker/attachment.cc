#include "runtime/worker/attachment.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "proto/worker.grpc.pb.h"

namespace rm::worker {
namespace pb = ::ringmaster::v1;
namespace {

constexpr absl::Duration kHeartbeatInterval = absl::Milliseconds(200);
constexpr absl::Duration kRedialFirst = absl::Milliseconds(100);
constexpr absl::Duration kRedialMax = absl::Seconds(1);
constexpr int kMessageBytesMax = 64 << 20;

using Stream = grpc::ClientReaderWriter<pb::WorkerMessage, pb::WorkerCommand>;

std::shared_ptr<grpc::Channel> Dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// Sends what the outbox has, and heartbeats between, until the stream breaks or the reader says so.
void WriteUntilBroken(Stream& stream, Outbox& outbox, const std::atomic<bool>& broken) {
  absl::Time next_beat = absl::Now();
  for (int64_t sequence = 1; !broken;) {
    const absl::Time now = absl::Now();
    if (now >= next_beat) {
      pb::WorkerMessage beat;
      beat.mutable_heartbeat()->set_sequence(sequence++);
      if (!stream.Write(beat)) return;
      next_beat = now + kHeartbeatInterval;
    }
    auto message = outbox.Pop(std::max(absl::ZeroDuration(), next_beat - absl::Now()));
    if (!message.has_value()) continue;
    if (!stream.Write(*message)) {
      outbox.PutBack(*std::move(message));
      return;
    }
  }
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

void Attachment::Run() {
  absl::Duration pause = kRedialFirst;
  for (;;) {
    welcomed_ = false;
    NoteEnd(AttachOnce());
    pause = welcomed_ ? kRedialFirst : std::min(pause * 2, kRedialMax);
    base::MutexLock lock(mutex_);
    const absl::Time redial = absl::Now() + pause;
    while (!stopped_ && refusal_.ok() && absl::Now() < redial) {
      changed_.WaitUntil(mutex_, redial);
    }
    if (stopped_ || !refusal_.ok()) return;
  }
}

void Attachment::NoteEnd(const absl::Status& status) {
  const std::string error(status.message());
  if (error != last_error_) base::LogWarning("coordinator ", options_.coordinator, ": ", error);
  last_error_ = error;
}

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

absl::Status Attachment::AttachOnce() {
  grpc::ClientContext context;
  {
    base::MutexLock lock(mutex_);
    if (stopped_) return absl::OkStatus();
    context_ = &context;
  }
  const auto stub = pb::Workers::NewStub(Dial(options_.coordinator));
  const std::unique_ptr<Stream> stream = stub->Attach(&context);
  std::atomic<bool> broken{false};
  std::thread reader([&] {
    pb::WorkerCommand command;
    while (stream->Read(&command)) {
      if (command.has_welcome()) {
        welcomed_ = true;
        base::LogInfo("attached to coordinator ", options_.coordinator);
      } else {
        on_command_(std::move(command));
      }
      command.Clear();
    }
    broken = true;
  });
  if (stream->Write(MakeHello())) WriteUntilBroken(*stream, outbox_, broken);
  // A write fails only when the stream is broken: then the reader ends too. Leaving by choice ends it here.
  stream->WritesDone();
  context.TryCancel();
  reader.join();
  const grpc::Status status = stream->Finish();
  base::MutexLock lock(mutex_);
  context_ = nullptr;
  if (IsFinal(status) && !stopped_) {
    refusal_ = absl::FailedPreconditionError(status.error_message());
    if (on_refused_) on_refused_();
  }
  return absl::UnavailableError(absl::StrCat(
      "not attached: ", status.error_message().empty() ? "the stream ended" : status.error_message(),
      "; ranks go on, dialling again"));
}

}  // namespace rm::worker
