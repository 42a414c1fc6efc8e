import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Deque } from '../../../src/core/base/deque.ts'

type Step = 'pushBack' | 'pushFront' | 'popFront' | 'popBack' | 'clear'

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Step>('pushBack') },
    { weight: 3, arbitrary: fc.constant<Step>('pushFront') },
    { weight: 2, arbitrary: fc.constantFrom<Step>('popFront', 'popBack') },
    { weight: 1, arbitrary: fc.constant<Step>('clear') },
  ),
  { maxLength: 200 },
)

function apply(step: Step, deque: Deque<number>, model: number[], value: number): void {
  switch (step) {
    case 'pushBack':
      deque.pushBack(value)
      model.push(value)
      return
    case 'pushFront':
      deque.pushFront(value)
      model.unshift(value)
      return
    case 'popFront':
      expect(deque.popFront()).toBe(model.shift())
      return
    case 'popBack':
      expect(deque.popBack()).toBe(model.pop())
      return
    case 'clear':
      // Rarely on purpose: long rings are where the wrap-around is.
      if (value % 5 !== 0) return
      deque.clear()
      model.length = 0
  }
}

describe('Deque', () => {
  test('behaves as an array does', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const deque = new Deque<number>()
        const model: number[] = []
        history.forEach((step, value) => {
          apply(step, deque, model, value)
          expect(deque.length).toBe(model.length)
          expect(deque.peekFront()).toBe(model[0])
          expect(deque.peekBack()).toBe(model.at(-1))
        })
        expect([...deque]).toEqual(model)
        model.forEach((item, i) => {
          expect(deque.at(i)).toBe(item)
        })
      }),
    )
  })

  test('starts with what it is given', () => {
    expect([...new Deque('abc')]).toEqual(['a', 'b', 'c'])
  })

  test('at asserts outside', () => {
    const deque = new Deque([1])
    expect(() => deque.at(1)).toThrow('index 1 of 1')
    expect(() => deque.at(-1)).toThrow('index -1 of 1')
  })

  test('a long queue stays cheap', () => {
    const deque = new Deque<number>()
    for (let i = 0; i < 200_000; i++) deque.pushBack(i)
    let wrong = 0
    for (let i = 0; i < 200_000; i++) if (deque.popFront() !== i) wrong++
    expect(wrong).toBe(0)
    expect(deque.length).toBe(0)
  })
})
