// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import Testing

@testable import Runtime

/// Control calls of an instance never overlap, and one that hangs is left behind.
@Suite struct ControlThreadTests {
    @Test func callsRunOneAfterTheOtherOnOneThread() {
        let thread = ControlThread(name: "test")
        let threads = Mutex<Set<UInt>>([])
        for number in 0..<20 {
            let answer = thread.run(seconds: 10) {
                threads.withLock { _ = $0.insert(UInt(pthread_self())) }
                return number
            }
            #expect(answer == number)
        }
        #expect(threads.withLock { $0.count } == 1)
        #expect(threads.withLock { $0.first } != UInt(pthread_self()))
        thread.end()
    }

    @Test func whatHangsIsGivenUp() {
        let thread = ControlThread(name: "test")
        let gate = Latch()
        #expect(thread.run(seconds: 0) { gate.wait(seconds: 60) } == nil)
        #expect(thread.run(seconds: 0) { true } == nil, "what stands behind it does not run")
        gate.open()
        #expect(thread.run(seconds: 10) { true } == true)
        thread.end()
    }

    @Test func whatIsQueuedRunsBeforeTheEnd() {
        let thread = ControlThread(name: "test")
        let gate = Latch()
        let ran = Latch()
        #expect(thread.run(seconds: 0) { gate.wait(seconds: 60) } == nil)
        #expect(thread.run(seconds: 0) { ran.open() } == nil)
        thread.end()
        gate.open()
        #expect(ran.wait(seconds: 10))
    }
}
