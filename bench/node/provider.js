// The peer of GET /v1/providers/{id}: Fastify and postgres.js with the service's own query on the service's own database.
// It checks no key, counts no request and writes no log: less than what assayd does.
//
//   node provider.js DATABASE-URL PROCESSES     prints the address that it serves on
import cluster from 'node:cluster'
import fastify from 'fastify'
import postgres from 'postgres'

const [database, processes] = process.argv.slice(2)

async function serve() {
	const at = new URLSearchParams(database.slice(database.indexOf('?')))
	const sql = postgres({ path: `${at.get('host')}/.s.PGSQL.${at.get('port')}`, username: 'assay', database: 'assay', max: 8 })
	const app = fastify()
	app.get('/v1/providers/:id', async (request, reply) => {
		const [row] = await sql`select provider_id, body, 'v' || version as etag from provider where provider_id = ${request.params.id}`
		if (!row) return reply.code(404).send()
		return reply.header('etag', `"${row.etag}"`).type('application/json').send(row.body)
	})
	await app.listen({ host: '127.0.0.1', port: 0 })
}

if (cluster.isPrimary) {
	let serving = 0
	for (let i = 0; i < Number(processes); i++) cluster.fork()
	cluster.on('listening', (worker, address) => {
		if (++serving === Number(processes)) console.log(`http://127.0.0.1:${address.port}`)
	})
	cluster.on('exit', () => process.exit(1))
} else {
	await serve()
}
