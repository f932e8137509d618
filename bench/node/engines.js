// The requirement of the example policy's trial in two rule engines, on measures that are summed already: how many a second, and for
// how many of them the outcome is met. One line of FILE is one set of measures with `met`, what assayd says of it.
//
//   node engines.js zen|json-rules FILE SECONDS
import { readFileSync } from 'node:fs'
import { ZenEngine } from '@gorules/zen-engine'
import { Engine } from 'json-rules-engine'

const [which, file, seconds] = process.argv.slice(2)
const cases = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line))

// What growth comes to is computed in the rules where an engine can (zen), and by a fact of its own where it cannot.
const grows = ([a, b, c]) => a > 0 && b > 0 && b * 10 >= a * 11 && c * 10 >= b * 11

function zen() {
	const expressions = {
		metric_1: 'new_stores >= 10 and new_store_gmv_fen >= 5000000',
		growth_2: 'monthly_orders[0] > 0 and monthly_orders[1] * 10 >= monthly_orders[0] * 11',
		growth_3: 'monthly_orders[1] > 0 and monthly_orders[2] * 10 >= monthly_orders[1] * 11',
		metric_2: 'new_stores >= 10 and monthly_orders[0] >= 10000 and $.growth_2 and $.growth_3',
		exam: 'exam_passes >= 2',
		met: '($.metric_1 or $.metric_2) and $.exam',
	}
	const decision = new ZenEngine().createDecision({
		nodes: [
			{ id: 'in', type: 'inputNode', name: 'in', position: { x: 0, y: 0 } },
			{ id: 'rule', type: 'expressionNode', name: 'rule', position: { x: 1, y: 0 },
				content: { expressions: Object.entries(expressions).map(([key, value]) => ({ id: key, key, value })) } },
			{ id: 'out', type: 'outputNode', name: 'out', position: { x: 2, y: 0 } },
		],
		edges: [
			{ id: 'a', type: 'edge', sourceId: 'in', targetId: 'rule' },
			{ id: 'b', type: 'edge', sourceId: 'rule', targetId: 'out' },
		],
	})
	return async (facts) => (await decision.evaluate(facts)).result.met
}

function jsonRules() {
	const at_least = (fact, value) => ({ fact, operator: 'greaterThanInclusive', value })
	const engine = new Engine()
	engine.addFact('first_month_orders', async (_, almanac) => (await almanac.factValue('monthly_orders'))[0])
	engine.addFact('monthly_order_growth', async (_, almanac) => grows(await almanac.factValue('monthly_orders')))
	engine.addRule({
		conditions: {
			all: [
				{ any: [
					{ all: [at_least('new_stores', 10), at_least('new_store_gmv_fen', 5000000)] },
					{ all: [at_least('new_stores', 10), at_least('first_month_orders', 10000),
						{ fact: 'monthly_order_growth', operator: 'equal', value: true }] },
				] },
				at_least('exam_passes', 2),
			],
		},
		event: { type: 'met' },
	})
	return async (facts) => (await engine.run(facts)).events.length > 0
}

const evaluate = which === 'zen' ? zen() : jsonRules()
const bare = cases.map(({ met, ...facts }) => facts)
let met = 0
for (const [i, facts] of bare.entries()) {
	const is = await evaluate(facts)
	if (is !== cases[i].met) throw new Error(`${which} says ${is} of ${JSON.stringify(cases[i])}`)
	met += is
}

// Several at once, as a server would have them: better for both than one after the other.
const AT_ONCE = 64
const began = performance.now()
let done = 0
while (performance.now() - began < seconds * 1000) {
	await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => evaluate(bare[(done + k) % bare.length])))
	done += AT_ONCE
}
console.log(Math.round((done / (performance.now() - began)) * 1000), met)
