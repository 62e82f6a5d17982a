-- RVTools: a VMware estate, as the workbook or as one CSV a tab; an inventory with one reading, no time series
--
-- Tabs as RVTools 3.x and 4.x write them, also zipped; only vInfo is needed. MB of old versions and MiB of new ones are
-- both 1,048,576 bytes, columns without a unit too. Numbers may carry separators of thousands. vCPU Overall is the MHz
-- in use at the moment of the export; over the host's Speed they are cores. Templates and SRM placeholders are no
-- workloads; machines that are off or suspended keep their disks alone. Names of tabs in files do not matter. Exports of
-- several vCenters, or of one at several times, may lie side by side, best each in a folder or workbook of its own.
-- Headers may be the names of columns in RVTools' database (vInfoVMName), as it writes them where asked to.

create temp table vinfo (
    vm varchar not null check (trim(vm) <> ''),
    powerstate varchar,
    template varchar,
    srm_placeholder varchar,
    cpus varchar not null check (is_number(cpus)) check (whole_number(cpus) between 0 and 1e5),
    memory_mib varchar not null check (is_number(memory_mib)) check (whole_number(memory_mib) between 0 and 1e10),
    disk_mib varchar check (number_or_empty(disk_mib)) check (whole_number(disk_mib) between 0 and 1e13),
    provisioned_mib varchar check (number_or_empty(provisioned_mib))
        check (whole_number(provisioned_mib) between 0 and 1e13),
    datacenter varchar,
    cluster varchar,
    host varchar,
    vi_sdk_server varchar,
    vi_sdk_uuid varchar,
    vm_id varchar,
    vm_uuid varchar,
    smbios_uuid varchar
);
comment on table vinfo is '{"needed": true, "named": true}';
comment on column vinfo.vm is 'VM name|vInfoVMName';
comment on column vinfo.powerstate is 'vInfoPowerstate|Power state';
comment on column vinfo.template is 'vInfoTemplate';
comment on column vinfo.srm_placeholder is 'vInfoSRMPlaceholder';
comment on column vinfo.cpus is 'vInfoCPUs|# CPUs|# vCPUs|vCPUs|Num CPU';
comment on column vinfo.memory_mib is 'Memory|vInfoMemory|Memory MB|Memory MiB';
comment on column vinfo.disk_mib is 'Total disk capacity MiB|Total disk capacity MB|vInfoTotalDiskCapacityMiB';
comment on column vinfo.provisioned_mib is 'Provisioned MB|Provisioned MiB|vInfoProvisioned|vInfoProvisionedMiB';
comment on column vinfo.datacenter is 'vInfoDataCenter';
comment on column vinfo.cluster is 'vInfoCluster';
comment on column vinfo.host is 'vInfoHost|ESX Host';
comment on column vinfo.vm_id is 'vInfoVMID|vInfoObjectID|Object ID';
comment on column vinfo.vm_uuid is 'vInfoUUID|vInfoVMUUID';
comment on column vinfo.vi_sdk_server is 'vInfoVISDKServer';
comment on column vinfo.vi_sdk_uuid is 'vInfoVISDKUUID';

create temp table vcpu (
    vm varchar not null,
    overall_mhz varchar not null check (is_number(overall_mhz)) check (whole_number(overall_mhz) between 0 and 1e9),
    datacenter varchar,
    cluster varchar,
    host varchar,
    vi_sdk_server varchar,
    vm_id varchar,
    vm_uuid varchar
);
comment on table vcpu is '{"aside": true, "named": true}';
comment on column vcpu.vm is 'VM name|vCPUVMName';
comment on column vcpu.datacenter is 'vCPUDatacenter';
comment on column vcpu.cluster is 'vCPUCluster';
comment on column vcpu.host is 'vCPUHost';
comment on column vcpu.vi_sdk_server is 'vCPUVISDKServer';
comment on column vcpu.vm_uuid is 'vCPUUUID';
comment on column vcpu.overall_mhz is 'Overall|vCPUOverall|vCPUOverallCpuUsage|Overall MHz';

create temp table vmemory (
    vm varchar not null,
    size_mib varchar not null check (is_number(size_mib)) check (whole_number(size_mib) between 0 and 1e10),
    consumed_mib varchar check (number_or_empty(consumed_mib)) check (whole_number(consumed_mib) between 0 and 1e10),
    active_mib varchar check (number_or_empty(active_mib)) check (whole_number(active_mib) between 0 and 1e10),
    datacenter varchar,
    cluster varchar,
    host varchar,
    vi_sdk_server varchar,
    vm_id varchar,
    vm_uuid varchar
);
comment on table vmemory is '{"aside": true, "named": true}';
comment on column vmemory.vm is 'VM name|vMemoryVMName';
comment on column vmemory.datacenter is 'vMemoryDatacenter';
comment on column vmemory.cluster is 'vMemoryCluster';
comment on column vmemory.host is 'vMemoryHost';
comment on column vmemory.vi_sdk_server is 'vMemoryVISDKServer';
comment on column vmemory.vm_uuid is 'vMemoryUUID';
comment on column vmemory.size_mib is 'Size MB|Size|vMemorySizeMB|vMemorySizeMiB';
comment on column vmemory.consumed_mib is 'Consumed|Consumed MB|vMemoryConsumed';
comment on column vmemory.active_mib is 'Active|Active MB|vMemoryActive';

create temp table vdisk (
    vm varchar not null,
    disk varchar not null,
    capacity_mib varchar not null check (is_number(capacity_mib)) check (whole_number(capacity_mib) between 0 and 1e13),
    disk_path varchar,
    path varchar,
    sharing_mode varchar,
    shared_bus varchar,
    datacenter varchar,
    cluster varchar,
    host varchar,
    vi_sdk_server varchar,
    vm_id varchar,
    vm_uuid varchar
);
comment on table vdisk is '{"aside": true, "named": true}';
comment on column vdisk.vm is 'VM name|vDiskVMName';
comment on column vdisk.datacenter is 'vDiskDatacenter';
comment on column vdisk.cluster is 'vDiskCluster';
comment on column vdisk.host is 'vDiskHost';
comment on column vdisk.vi_sdk_server is 'vDiskVISDKServer';
comment on column vdisk.vm_uuid is 'vDiskUUID';
comment on column vdisk.disk is 'vDiskDisk|vDiskName';
comment on column vdisk.capacity_mib is 'Capacity MB|vDiskCapacityMB|vDiskCapacityMiB';

-- Told apart from vDisk; file systems are not what is provisioned.
create temp table vpartition (
    vm varchar not null,
    disk varchar not null,
    capacity_mib varchar not null,
    consumed_mib varchar not null,
    free_mib varchar,
    datacenter varchar,
    cluster varchar,
    host varchar,
    vi_sdk_server varchar,
    vm_id varchar,
    vm_uuid varchar
);
comment on table vpartition is '{"aside": true}';
comment on column vpartition.vm is 'VM name|vPartitionVMName';
comment on column vpartition.disk is 'vPartitionDisk';
comment on column vpartition.capacity_mib is 'Capacity MB|vPartitionCapacityMB|vPartitionCapacityMiB';
comment on column vpartition.consumed_mib is 'Consumed MB|vPartitionConsumedMB|vPartitionConsumedMiB';
comment on column vpartition.free_mib is 'Free MB|vPartitionFreeMB|vPartitionFreeMiB';

create temp table vhost (
    host varchar not null,
    speed_mhz varchar not null check (is_number(speed_mhz)) check (whole_number(speed_mhz) between 1 and 1e6),
    cores varchar not null check (is_number(cores)) check (whole_number(cores) between 0 and 1e6)
);
comment on table vhost is '{"aside": true, "named": true}';
comment on column vhost.host is 'vHostName|Name';
comment on column vhost.speed_mhz is 'Speed|vHostCpuMhz|vHostSpeed|CPU Speed';
comment on column vhost.cores is '# Cores|vHostNumCpuCores|Num CPU cores';

create temp table vmetadata (
    made_at varchar not null check (time_as_shown(made_at) is not null)
        check (time_as_shown(made_at) between timestamp '1990-01-01' and timestamp '2100-01-01'),
    version varchar
);
comment on table vmetadata is '{"aside": true, "named": true}';
comment on column vmetadata.made_at is 'xlsx creation datetime|vMetaDataXlsxCreationDateTime';
comment on column vmetadata.version is 'RVTools version|vMetaDataRVToolsVersion';

-- Settings. An inventory without a date is of a Monday, 00:00 UTC.
create temp macro undated() as timestamp '1970-01-05 00:00:00';

create temp macro is_true(words) as coalesce(lower(trim(words)) in ('true', 'yes', '1', 'wahr', 'vrai', 'verdadero', 'vero'), false);
create temp macro is_on(words) as replace(lower(coalesce(words, 'poweredOn')), ' ', '') in ('poweredon', 'on', 'running');
create temp macro is_ip(name) as regexp_full_match(name, '[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*');
create temp macro short(name) as case when not is_ip(name) then split_part(name, '.', 1) end;
create temp macro whole_name(name) as nullif(lower(trim(name)), '');
create temp macro folder_of(file) as regexp_replace(file, '[^/]*$', '');
-- What the files of one export have in common: their names without those of the tabs.
create temp macro export_of(file) as
    regexp_replace(lower(file), '(rvtools_?)?(tab)?v(info|cpu|memory|disk|host|metadata)', '', 'g');

create temp table exports as
with made as (select export_of(file) as export, folder_of(file) as folder, time_as_shown(made_at) as made_at from vmetadata)
select file, coalesce(
    (select max(made_at) from made where export = export_of(f.file)),
    (select max(made_at) from made where folder = folder_of(f.file))) as made_at
from (select distinct file from vinfo) f;

-- A machine that several exports have is one: as the newest tells, or the last file where none has a date. Machines of one
-- export are several whatever their UUIDs, as clones may share one. In vCenters with different VI SDK UUIDs a VM UUID, which
-- vCenter gives and a move between vCenters keeps, is one machine only together with the name and the SMBIOS UUID: it was
-- moved in between, or is a copy that waits elsewhere. It counts where it runs. Placeholders hide none.
create temp table listed as
with placed as (
    select v.rowid as machine, v.* replace (nullif(trim(vm_uuid), '') as vm_uuid, nullif(trim(vm_id), '') as vm_id), made_at,
        coalesce(vi_sdk_uuid, max(vi_sdk_uuid) over (partition by nullif(trim(vm_uuid), ''))) as vcenter,
        coalesce(nullif(trim(smbios_uuid), ''), max(nullif(trim(smbios_uuid), ''))
            over (partition by nullif(trim(vm_uuid), ''), whole_name(vm))) as smbios,
        is_true(template) or is_true(srm_placeholder) as is_idle
    from vinfo v join exports using (file)
),
newest as (
    select *, vm_uuid is not null
            and rank() over (partition by vm_uuid, vcenter, is_true(srm_placeholder)
                order by made_at desc nulls last, file desc) > 1 as is_older,
        bool_or(is_on(powerstate)) over (partition by vm_uuid, vcenter, file, whole_name(vm)) as runs
    from placed
)
select *, vm_uuid is not null and not is_older and not is_idle and dense_rank() over (
        partition by vm_uuid, whole_name(vm), smbios, is_older, is_idle
        order by runs desc, made_at desc nulls last, file desc) > 1 as is_elsewhere
from newest;

create temp table vms as
select *,
    case when count(*) over (partition by vm) = 1 then vm
        else vm || ' (' || coalesce(vm_uuid, vm_id, host, '') || ', ' || row_number() over (partition by vm
            order by vm_uuid, vm_id, datacenter, cluster, host, vi_sdk_server, file, cpus, memory_mib) || ')'
    end as workload
from listed where not is_idle and not is_older and not is_elsewhere;

-- A row of another tab is of the machine of its name and, where both tabs tell them, its ids; of several such machines it
-- is of the one that it has most in common with. Where that is still several, it is left out.
create temp macro same(a, b) as a is null or b is null or a = b;
create temp macro likeness(a, b) as case when a = b then 1 when a is null or b is null then 0 else -1 end;

-- Once a row and once a file, not once a pair of rows: many exports of one estate make a pair of any two of them.
create temp table places as
select file, folder_of(file) as folder, export_of(file) as export
from (select file from listed union select file from vdisk union select file from vcpu union select file from vmemory);

create temp table owners as
select machine, is_idle, vm, vm_uuid as uuid, vm_id as id, lower(vi_sdk_server) as server, lower(datacenter) as datacenter,
    lower(cluster) as cluster, lower(host) as host, folder, export
from listed join places using (file);

create temp table besides as
select tab, place, amount, vm, nullif(trim(vm_uuid), '') as uuid, nullif(trim(vm_id), '') as id,
    lower(vi_sdk_server) as server, lower(datacenter) as datacenter, lower(cluster) as cluster, lower(host) as host,
    folder, export
from (
    select 'vDisk' as tab, rowid as place, whole_number(capacity_mib) as amount, vm, vm_uuid, vm_id,
        datacenter, cluster, host, vi_sdk_server, file
    from vdisk
    union all by name
    select 'vCPU' as tab, rowid as place, whole_number(overall_mhz) as amount, vm, vm_uuid, vm_id,
        datacenter, cluster, host, vi_sdk_server, file
    from vcpu
    union all by name
    select 'vMemory' as tab, rowid as place, coalesce(whole_number(consumed_mib), whole_number(active_mib)) as amount,
        vm, vm_uuid, vm_id, datacenter, cluster, host, vi_sdk_server, file
    from vmemory
) join places using (file);

create temp table owned as
with pairs as (
    select tab, place, amount, b.vm, machine, is_idle,
        likeness(b.uuid, m.uuid) + likeness(b.id, m.id) + likeness(b.server, m.server)
        + likeness(b.datacenter, m.datacenter) + likeness(b.cluster, m.cluster) + likeness(b.host, m.host)
        + likeness(b.folder, m.folder) + likeness(b.export, m.export) as alike
    from besides b join owners m on b.vm = m.vm and same(b.uuid, m.uuid) and same(b.id, m.id)
),
levels as (
    select tab, place, alike, any_value(amount) as amount, any_value(vm) as vm,
        min(machine) filter (not is_idle) as machine, count(*) filter (not is_idle) as rivals
    from pairs group by tab, place, alike
)
select distinct on (tab, place) * from levels order by tab, place, alike desc;

-- A disk that clustered machines share is one; the first of those that are counted has it. Its path is of its vCenter.
create temp table copies as
select place from (
    select o.place, row_number() over (partition by lower(trim(coalesce(d.disk_path, d.path))), lower(m.vi_sdk_server),
        lower(m.datacenter) order by m.vm, machine) as number
    from owned o join vdisk d on o.tab = 'vDisk' and d.rowid = o.place join vms m using (machine)
    where rivals = 1 and trim(coalesce(d.disk_path, d.path)) <> ''
        and (lower(d.sharing_mode) like '%multiwriter%' or lower(trim(d.shared_bus)) in ('virtualsharing', 'physicalsharing'))
) where number > 1;

create temp table told as
select machine, max(amount) filter (tab = 'vCPU') as mhz, max(amount) filter (tab = 'vMemory') as held_mib,
    exact_sum(case when tab = 'vDisk' then case when place in (from copies) then 0 else amount end end) as disk_mib
from owned where rivals = 1 group by machine;

-- A machine's host is the one of its whole name, of its own export where that has it; else, as tabs may leave domains
-- out, the only one of its short name. An IP address has no short name.
create temp table hosts as
select whole_name(host) as host, folder_of(file) as folder, max(whole_number(speed_mhz)) as mhz from vhost group by all;

create temp table speeds as select host, max(mhz) as mhz from hosts group by host;

create temp table short_speeds as
select short(host) as host, max(mhz) as mhz from speeds
where short(host) not in (
    select short(whole_name(host)) from vinfo
    where contains(host, '.') and not is_ip(whole_name(host))
    group by 1 having count(distinct whole_name(host)) > 1
)
group by 1 having count(*) = 1;

create temp table readings as
select
    m.workload, m.cluster, m.host, is_on(m.powerstate) as is_on,
    whole_number(m.cpus) as cores, whole_number(m.memory_mib) / 1024 as gib,
    coalesce(t.disk_mib, whole_number(m.disk_mib), whole_number(m.provisioned_mib)) / 1024 as storage_gib,
    coalesce(own.mhz, whole.mhz, brief.mhz) as host_mhz,
    t.mhz / coalesce(host_mhz, (select exact_avg(mhz) from speeds)) as cores_used, host_mhz is not null as joined,
    t.mhz is not null as is_read, t.held_mib / 1024 as gib_used,
    coalesce((select max(time_as_shown(made_at)) from vmetadata), undated()) as read_at
from vms m left join told t using (machine)
left join hosts own on own.host = whole_name(m.host) and own.folder = folder_of(m.file)
left join speeds whole on whole.host = whole_name(m.host)
left join short_speeds brief on brief.host = short(whole_name(m.host));

insert into workloads by name
select
    $trace_id as trace_id, workload, 'vm' as kind, cluster as owner,
    case when is_on then cores else 0 end as cpu_cores, case when is_on then gib else 0 end as memory_gib,
    storage_gib, 'x86_64' as arch,
    -- Not for machines without a reading: least() passes over what is null.
    case when is_on and cores_used is not null and cores > 0 then least(100, 100 * cores_used / cores) end
        as cpu_percent_mean
from readings;

-- CPU enters as one reading, which says nothing of peaks: the demand's policy states a spread. Memory hardly moves and
-- enters as the one sample it is.
insert into usage by name
select $trace_id as trace_id, workload, read_at as sampled_at, gib_used as memory_gib, gib as allocated_memory_gib
from readings where is_on and gib_used is not null;

insert into notes
select format('RVTools has one reading of each machine, taken at {}{}: no peaks, no hours', any_value(read_at),
    case when exists (from vmetadata) then '' else ' (the export does not tell when)' end)
from readings having count(*) > 0;

insert into notes
select format('CPU of {} machines: the MHz read are their average, more is planned for by demand.reading_cpu_spread', count(*))
from readings where is_on and cores_used is not null having count(*) > 0;

insert into notes
select format('{} of {} running machines have no CPU reading (vCPU Overall, vHost Speed): sized as allocated',
    count(*) filter (cores_used is null), count(*))
from readings where is_on having count(*) filter (cores_used is null) > 0;

insert into notes
select format('{} running machines name hosts that vHost lacks: the average speed of all hosts serves', count(*))
from readings where is_on and is_read and not joined and exists (from hosts) having count(*) > 0;

insert into notes
select format('{} of {} machines are off or suspended: they need no CPU or memory, {} GiB of their disks stay',
    count(*) filter (not is_on), count(*), round(coalesce(sum(storage_gib) filter (not is_on), 0), 1))
from readings having count(*) filter (not is_on) > 0;

insert into notes
select format('{} templates and placeholders are no workloads; their disks of {} GiB are left out', count(*),
    round(coalesce(sum(coalesce(whole_number(disk_mib), whole_number(provisioned_mib))), 0) / 1024, 1))
from listed where is_idle and not is_older having count(*) > 0;

insert into notes
select format('{} rows of vInfo are of machines that {} export has too (the same VM UUID), the first {} in {}: they are '
    'counted once', count(*),
    case when bool_and(made_at is not null) then 'a newer' else 'another (without a date the last by name counts)' end,
    arg_min(vm, machine), arg_min(file, machine))
from listed where is_older having count(*) > 0;

insert into notes
select format('{} rows of vInfo are of machines that another vCenter has too (the same VM UUID and name, moved or copied), '
    'the first {} in {}: they are counted once, where they run', count(*), arg_min(vm, (file, machine)), min(file))
from listed where is_elsewhere having count(*) > 0;

insert into notes
select format('{} disks of {} GiB are those of another machine too, which shares them: they are counted once', count(*),
    round(exact_sum(whole_number(capacity_mib)) / 1024, 1))
from vdisk where rowid in (from copies) having count(*) > 0;

insert into notes
select format('{} names are those of several machines; {} tell them apart', count(distinct vm),
    case when bool_and(coalesce(vm_uuid, vm_id) is not null) then 'their ids'
        else 'host, datacenter, cluster, VI SDK Server and folder (without VM ID and VM UUID)' end)
from vms where workload <> vm having count(*) > 0;

insert into notes
select format('{} rows of {} are left out: several machines have the name, the first {}, and nothing tells whose they are',
    count(*), string_agg(distinct tab, ', ' order by tab), min(vm))
from owned where rivals > 1 having count(*) > 0;
